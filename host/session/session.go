package session

import (
	"context"
	"embed"
	"io/fs"
	"regexp"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the tables of sessions.
func Schema() db.Schema {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil { // the folder is embedded above
		panic(err)
	}
	return db.Schema{Name: "session", FS: sub}
}

// Limits of what is kept. Zero fields take the defaults.
type Limits struct {
	Messages int           // in one session; default 1,000
	Bytes    int           // of one session, as JSON; default 4 MiB
	Age      time.Duration // a message is forgotten after that; default 30 days
}

// Store keeps sessions. It is safe for concurrent use.
type Store struct {
	db     *db.DB
	limits Limits
}

// New returns a store in d, whose tables must exist (see [Schema]).
func New(d *db.DB, l Limits) *Store {
	if l.Messages <= 0 {
		l.Messages = 1000
	}
	if l.Bytes <= 0 {
		l.Bytes = 4 << 20
	}
	if l.Age <= 0 {
		l.Age = 30 * 24 * time.Hour
	}
	return &Store{d, l}
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$`)

// CheckID refuses what cannot name a session.
func CheckID(id string) error {
	if idPattern.MatchString(id) {
		return nil
	}
	return fault.New(fault.Invalid, "a session's id has 1 to 128 letters, digits, '_', '.', ':' and '-', and begins with a letter or a digit").
		At(fault.Where{Field: "session"})
}

// owner is who a session belongs to.
type owner struct{ app, tenant, user string }

func (o owner) check() error {
	if o.app == "" || o.tenant == "" || o.user == "" {
		return fault.New(fault.Invalid, "a session needs an app, a tenant and a user").WithCode("scope")
	}
	return nil
}

// For returns the sessions of one user of a tenant.
func (s *Store) For(app, tenant, user string) component.Memory {
	return &memory{s, owner{app, tenant, user}}
}

// Forget removes a session, and says how many messages it had.
func (s *Store) Forget(ctx context.Context, app, tenant, user, session string) (int64, error) {
	o := owner{app, tenant, user}
	if err := s.ready(o, session); err != nil {
		return 0, err
	}
	var n int64
	err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
		n, err = tx.Exec(ctx, "DELETE FROM session_message WHERE app = ? AND tenant = ? AND user_id = ? AND session = ?",
			o.app, o.tenant, o.user, session)
		return err
	})
	return n, err
}

func (s *Store) ready(o owner, session string) error {
	if err := o.check(); err != nil {
		return err
	}
	return CheckID(session)
}

type memory struct {
	s *Store
	o owner
}

// Messages implements [component.Memory].
func (m *memory) Messages(ctx context.Context, session string) (out []*chat.Message, err error) {
	if err := m.s.ready(m.o, session); err != nil {
		return nil, err
	}
	err = m.s.db.View(ctx, func(tx *db.Tx) error {
		return tx.Query(ctx, `SELECT message FROM session_message WHERE app = ? AND tenant = ? AND user_id = ? AND session = ?
			AND created_at > ? ORDER BY seq`, []any{m.o.app, m.o.tenant, m.o.user, session, m.s.oldest(tx)}, func(scan func(...any) error) error {
			var text string
			if err := scan(&text); err != nil {
				return err
			}
			msg, err := decode(text)
			out = append(out, msg)
			return err
		})
	})
	return out, err
}

// Append implements [component.Memory]. All messages are kept, or none.
func (m *memory) Append(ctx context.Context, session string, messages ...*chat.Message) error {
	if err := m.s.ready(m.o, session); err != nil || len(messages) == 0 {
		return err
	}
	texts := make([]string, len(messages))
	for i, msg := range messages {
		text, err := value.ToJSON(msg.ToDict(), value.JSONOptions{RawUnicode: true})
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "a message cannot be remembered: %s", fault.From(err).Message)
		}
		texts[i] = text
	}
	return m.s.db.Update(ctx, func(tx *db.Tx) error { return m.add(ctx, tx, session, texts) })
}

func (m *memory) add(ctx context.Context, tx *db.Tx, session string, texts []string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM session_message WHERE app = ? AND tenant = ? AND created_at <= ?", m.o.app, m.o.tenant, m.s.oldest(tx)); err != nil {
		return err
	}
	var last, count, bytes int64
	err := tx.QueryRow(ctx, `SELECT coalesce(max(seq), 0), count(*), coalesce(sum(length(message)), 0) FROM session_message
		WHERE app = ? AND tenant = ? AND user_id = ? AND session = ?`, []any{m.o.app, m.o.tenant, m.o.user, session}, &last, &count, &bytes)
	if err != nil {
		return err
	}
	for _, t := range texts {
		bytes += int64(len(t))
	}
	if count+int64(len(texts)) > int64(m.s.limits.Messages) || bytes > int64(m.s.limits.Bytes) {
		return fault.New(fault.TooLarge, "the session is full: it may hold %d messages and %d bytes", m.s.limits.Messages, m.s.limits.Bytes).
			WithCode("SessionFull").WithHint("begin another session, or delete this one")
	}
	for i, t := range texts {
		if _, err := tx.Exec(ctx, `INSERT INTO session_message (app, tenant, user_id, session, seq, message, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, m.o.app, m.o.tenant, m.o.user, session, last+int64(i)+1, t, tx.Now()); err != nil {
			return err
		}
	}
	return nil
}

// oldest is when a message must have come after to be remembered still.
func (s *Store) oldest(tx *db.Tx) int64 { return tx.Now() - s.limits.Age.Microseconds() }

func decode(text string) (*chat.Message, error) {
	v, err := value.FromJSON([]byte(text))
	d, ok := v.(*value.Dict)
	if err != nil || !ok {
		return nil, fault.New(fault.Internal, "a remembered message is not what was written")
	}
	return chat.FromDict(d)
}
