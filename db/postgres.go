package db

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/db/internal/pg"
	"github.com/haywardhq/hayward/fault"
)

// OpenPostgres opens a PostgreSQL database (version 13 or later). It means the same as an SQLite one: one writer at a time,
// here over all processes that have the database open, by a lock that each group of writes takes first. Connections that
// break are replaced; a write that was under way then fails with Unavailable, and one whose commit was, with the code
// "outcome_unknown" if the server cannot tell afterwards.
//
// The connections are the program's own for as long as they live: a pooler in between must give each a server connection
// for itself (PgBouncer's session mode).
func OpenPostgres(ctx context.Context, o PostgresOptions) (*DB, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	e, err := openPostgres(&o)
	if err != nil {
		return nil, err
	}
	o.Readers = or(o.Readers, 16) // most of a read is waiting for the server
	d, err := open(ctx, e, o.Options)
	if err == nil {
		e.listeners = &d.listeners
		err = e.listen(ctx)
		if err == nil {
			return d, nil
		}
		err = errors.Join(err, d.Close())
	} else {
		err = errors.Join(err, e.close())
	}
	return nil, fault.Wrap(fault.Unavailable, err, "cannot open the PostgreSQL database %s", o.where()).
		WithHint("check that the server runs there and lets the user in")
}

// postgres is a PostgreSQL server's database.
type postgres struct {
	o             *PostgresOptions
	conf          pg.Config // of connections that are no writer's
	writes, reads *sql.DB
	writeLock     int64 // the advisory lock of whoever writes
	migrateLock   int64 // of whoever migrates
	channel       string
	origin        string // tells this process's messages from others'

	listeners *listeners
	stop      context.CancelFunc // of hearing
	heard     chan struct{}      // closed when it has stopped
}

func openPostgres(o *PostgresOptions) (*postgres, error) {
	e := &postgres{o: o, writeLock: key("writer", o.Schema), migrateLock: key("migrations", o.Schema),
		channel: fmt.Sprintf("hayward_%016x", uint64(key("messages", o.Schema))), origin: rand.Text()}
	writes, err := o.config(map[string]string{"statement_timeout": pg.Millis(o.StatementTimeout), "lock_timeout": pg.Millis(o.LockTimeout),
		"idle_in_transaction_session_timeout": pg.Millis(o.IdleTimeout), "synchronous_commit": "on"})
	if err != nil {
		return nil, err
	}
	e.conf = writes
	e.conf.Params = map[string]string{"default_transaction_read_only": "on", "idle_in_transaction_session_timeout": pg.Millis(5 * time.Minute)}
	e.writes, e.reads = unpooled(writes), unpooled(e.conf)
	return e, nil
}

// unpooled lets database/sql open connections but not keep them: sessions and readers do.
func unpooled(c pg.Config) *sql.DB {
	pool := sql.OpenDB(c.Open())
	pool.SetMaxIdleConns(-1)
	return pool
}

// key makes the number of an advisory lock; those of one database are apart from another's.
func key(what, schema string) int64 {
	sum := sha256.Sum256([]byte("hayward\x00" + what + "\x00" + schema))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

func (e *postgres) writer(ctx context.Context) (*session, error) { return newSession(ctx, e.writes) }
func (e *postgres) reader(ctx context.Context) (*session, error) { return newSession(ctx, e.reads) }

// on runs fn on the connection itself.
func on(s *session, fn func(c *pg.Conn) error) error {
	return s.conn.Raw(func(c any) error { return fn(c.(*pg.Conn)) })
}

// begin waits until no other process writes. Each statement then sees everything that was committed (READ COMMITTED): code
// written for one writer stays right. The transaction's number tells later whether it was committed.
func (e *postgres) begin(s *session, relaxed bool) (id string, err error) {
	s.fence = [2]string{}
	how := ""
	if relaxed { // https://www.postgresql.org/docs/current/wal-async-commit.html
		how = "SET LOCAL synchronous_commit = off; "
	}
	err = on(s, func(c *pg.Conn) error {
		c.Forget(0)
		out, err := c.Simple(context.Background(),
			fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED; %sSELECT pg_advisory_xact_lock(%d); SELECT pg_current_xact_id()", how, e.writeLock))
		if err == nil {
			id = out[len(out)-1]
		}
		return err
	})
	return id, err
}

// job begins each write of a group without the fence of the one before. The savepoint travels with its first statement.
func (e *postgres) job(s *session) error {
	return on(s, func(c *pg.Conn) error {
		if s.fence != [2]string{} {
			setFence(s, c, "", "")
		}
		c.Ahead("SAVEPOINT job")
		return nil
	})
}

func (e *postgres) keep(s *session) error { return e.endJob(s, "RELEASE job") }

func (e *postgres) undo(s *session) error {
	s.fence = unknownFence // it goes back with the savepoint
	return e.endJob(s, "ROLLBACK TO job", "RELEASE job")
}

// unknownFence is none that Fence can set; job clears it.
var unknownFence = [2]string{"", Everywhere}

// endJob ends a write that may not have run a statement: then there is no savepoint yet, and none is needed.
func (e *postgres) endJob(s *session, how ...string) error {
	return on(s, func(c *pg.Conn) error {
		if c.Withdraw("SAVEPOINT job") {
			s.fence = unknownFence // it may have been withdrawn, too
			return nil
		}
		for _, q := range how {
			c.Ahead(q)
		}
		return nil
	})
}

func (e *postgres) commit(s *session, notes []note) error {
	return on(s, func(c *pg.Conn) error {
		for _, payload := range payloads(e.origin, notes) {
			c.Ahead("SELECT pg_notify($1, $2)", e.channel, payload)
		}
		c.Ahead("COMMIT")
		tags, err := c.Flush(context.Background())
		if err == nil && tags[len(tags)-1] != "COMMIT" {
			err = errors.New("the server has undone the transaction")
		}
		return err
	})
}

// settle asks the server about a transaction of the process's former connection. That one may still be at it.
func (e *postgres) settle(s *session, id string) (o outcome) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return unknown
	}
	for range 100 {
		var state []string
		err := on(s, func(c *pg.Conn) (err error) {
			state, err = c.Simple(context.Background(), fmt.Sprintf("SELECT coalesce(pg_xact_status('%d'::xid8), '')", n))
			return err
		})
		switch {
		case err != nil || len(state) != 1:
			return unknown
		case state[0] == "committed":
			return kept
		case state[0] == "aborted":
			return lost
		case state[0] != "in progress":
			return unknown
		}
		time.Sleep(50 * time.Millisecond)
	}
	return unknown
}

func (e *postgres) rollback(s *session) {
	_ = on(s, func(c *pg.Conn) error {
		c.Forget(0)
		_, err := c.Simple(context.Background(), "ROLLBACK")
		return err
	})
}

func (e *postgres) beginRead(s *session) error {
	s.fence = [2]string{}
	return on(s, func(c *pg.Conn) error {
		c.Ahead("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
		return nil
	})
}

func (e *postgres) endRead(s *session) error {
	return on(s, func(c *pg.Conn) error {
		c.Forget(0)
		if !c.Alive() || s.stale {
			return sql.ErrConnDone
		}
		if !c.InTransaction() {
			return nil
		}
		_, err := c.Simple(context.Background(), "ROLLBACK")
		return err
	})
}

func (e *postgres) fence(s *session, app, tenant string) {
	if app == "" { // so that no table is without a fence by mistake
		tenant = ""
	}
	if s.fence == [2]string{app, tenant} {
		return
	}
	_ = on(s, func(c *pg.Conn) error { setFence(s, c, app, tenant); return nil })
}

// The settings that policies compare with. They hold for a transaction: without a fence, nobody's rows are there.
const appSetting, tenantSetting = "hayward.app", "hayward.tenant"

func setFence(s *session, c *pg.Conn, app, tenant string) {
	s.fence = [2]string{app, tenant}
	c.Ahead("SELECT set_config('"+appSetting+"', $1, true), set_config('"+tenantSetting+"', $2, true)", app, tenant)
}

func (e *postgres) execMany(ctx context.Context, s *session, query string, rows [][]any) (n int64, err error) {
	values := make([][]driver.NamedValue, len(rows))
	for i, row := range rows {
		values[i] = make([]driver.NamedValue, len(row))
		for j, v := range row {
			v, err := driver.DefaultParameterConverter.ConvertValue(v)
			if err != nil {
				return 0, fault.Wrap(fault.Internal, err, "argument %d of row %d cannot be stored", j+1, i+1)
			}
			values[i][j] = driver.NamedValue{Ordinal: j + 1, Value: v}
		}
	}
	err = on(s, func(c *pg.Conn) (err error) { n, err = c.ExecMany(ctx, query, values); return err })
	return n, err
}

// fresh asks a connection that lay idle whether the server is still there: it may have been restarted.
func (e *postgres) fresh(ctx context.Context, s *session) bool {
	if time.Since(s.used) < time.Second {
		return s.whole()
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return on(s, func(c *pg.Conn) error { return c.Ping(ctx) }) == nil
}

func (e *postgres) last(*session) {
	if e.stop != nil {
		e.stop()
		<-e.heard
	}
}

func (e *postgres) close() error { return errors.Join(e.reads.Close(), e.writes.Close()) }
func (e *postgres) path() string { return "" }
func (e *postgres) remote() bool { return true }
