package audit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// hold keeps the database busy until release is called: what is written meanwhile is in the head file alone.
func (b *bench) hold() (release func()) {
	held, done, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		_ = b.st.Update(context.Background(), func(driver.Tx) error { close(held); <-done; return nil })
	}()
	<-held
	return func() { close(done); <-over }
}

// record writes an entry beside the test, and returns when it is in the head file; the result comes when it is everywhere.
func (b *bench) record(tenant string) chan error {
	b.t.Helper()
	before, _ := audit.Carried(b.heads)
	result := make(chan error, 1)
	go func() { result <- b.log.Record(context.Background(), caller(tenant), get("K"), audit.OK) }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if now, _ := audit.Carried(b.heads); now > before {
			return result
		}
		if time.Now().After(deadline) {
			b.t.Fatal("the entry does not reach the head file while the database is busy")
		}
	}
}

// A process that is killed between the two leaves an entry that only the head file has. That is a whole record: the verification
// says so, and the entry is in the database, once, after the start.
func TestAnEntryIsInTheHeadFileBeforeTheDatabaseHasIt(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	before := b.moment()
	release := b.hold()
	result := b.record("t")
	killed := b.moment()
	select {
	case err := <-result:
		t.Fatalf("it is answered before the database has it: %v", err)
	default:
	}
	release()
	if err := <-result; err != nil {
		t.Fatal(err)
	}

	again := after(t, killed, killed)
	if r := again.verify(); !r.OK() || r.Carried != 1 || r.Entries != 2 {
		t.Errorf("after the kill: %+v", r)
	}
	again.act("t", "K")
	if r := again.verify(); !r.OK() || r.Carried != 0 || len(again.actions("t")) != 2+1+1+2 {
		t.Errorf("%+v, %d entries", r, len(again.actions("t")))
	}

	// Once the database has had it, its absence is a change.
	if r := b.verify(); !r.OK() || r.Carried != 0 {
		t.Errorf("%+v", r)
	}
	cut := after(t, before, b.moment())
	if r := cut.verify(); r.OK() || r.Carried != 0 || r.Problems[0].Seq != 3 {
		t.Errorf("an entry is cut off and %+v", r)
	}
}

// Of what the head file has, only its last line may be on its way.
func TestMoreThanOneLineMissingIsNotAKill(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	before := b.moment()
	b.act("t", "K")
	release := b.hold()
	result := b.record("t")
	file := b.moment()
	release()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if r := after(t, before, file).verify(); r.OK() || r.Problems[0].Seq != 3 {
		t.Errorf("%+v", r)
	}
}

// A forged line on its way counts for nothing.
func TestAForgedLineOnItsWay(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	release := b.hold()
	result := b.record("t")
	killed := b.moment()
	release()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	from := strings.LastIndex(string(killed.heads), `["`) + 40
	for i := from; i < len(killed.heads)-4; i += 7 {
		forged := moment{heads: []byte(string(killed.heads[:i]) + "A" + string(killed.heads[i+1:]))}
		if string(forged.heads) == string(killed.heads) {
			continue
		}
		if r := after(t, killed, forged).verify(); r.OK() {
			t.Fatalf("byte %d is another, and it is fine: %+v", i, r)
		}
	}
}

// ddl changes the tables behind the record's back.
func (b *bench) ddl(q string) {
	b.t.Helper()
	if err := b.db.Update(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(context.Background(), q); return err }); err != nil {
		b.t.Fatal(err)
	}
}

// A database that refuses leaves entries in the head file. Their writers are told no; the next that is written brings them in.
func TestADatabaseThatRefuses(t *testing.T) {
	for name, next := range map[string]func(b *bench){
		"the next entry":       func(b *bench) { b.act("t", "K") },
		"the next transaction": func(b *bench) { b.endTx("t") },
		"tidying":              func(b *bench) { _ = audit.Tidy(context.Background(), b.log) },
		"a stop in order":      func(b *bench) { b.close() },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, t.TempDir())
			b.act("t", "K")
			b.ddl("CREATE TRIGGER refuse BEFORE INSERT ON vault_audit BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
			for range 3 {
				if err := b.tries("t"); err == nil {
					t.Fatal("an entry is acknowledged that the database does not have")
				}
			}
			if r := b.verify(); !r.OK() || r.Carried != 1 {
				t.Errorf("while it refuses: %+v", r)
			}
			b.ddl("DROP TRIGGER refuse")
			next(b)
			if name == "a stop in order" {
				b = open(t, b.dir)
			}
			if r := b.verify(); !r.OK() || r.Carried != 0 || r.Ahead != 0 || r.Entries < 3 {
				t.Errorf("%+v", r)
			}
			b.act("t", "K")
			for _, row := range b.actions("t") {
				if row.Action == "audit.put_back" {
					t.Error("nothing was lost, and it says so")
				}
			}
		})
	}
}

// A transaction in the same chain brings in what is on its way. If it fails, that is written all the same.
func TestATransactionMeetsAnEntryOnItsWay(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprint("fails ", fails), func(t *testing.T) {
			b := open(t, t.TempDir())
			b.act("t", "K")
			held, done, tx := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			refused := errors.New("no")
			p, err := b.log.Begun(caller("t"), get("K"))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				tx <- b.st.Update(context.Background(), func(tx driver.Tx) error {
					close(held)
					<-done
					err := p.EndTx(context.Background(), tx, audit.OK)
					if err == nil && fails {
						err = refused
					}
					return err
				})
			}()
			<-held
			result := b.record("t")
			close(done)
			if err := <-tx; (err != nil) != fails {
				t.Fatal(err)
			}
			if err := <-result; err != nil {
				t.Fatal(err)
			}
			want := 4
			if fails {
				want = 3
			}
			b.act("t", "K")
			if r := b.verify(); !r.OK() || r.Ahead != 0 || r.Carried != 0 || len(b.actions("t")) != want+2 {
				t.Errorf("%+v, %d entries", r, len(b.actions("t")))
			}
		})
	}
}

// Everything at once, with transactions that fail: at the end both are whole and know the same, and a restart changes nothing.
func TestFlightsTransactionsAndTidyingAtOnce(t *testing.T) {
	b := open(t, t.TempDir())
	var wg sync.WaitGroup
	refused := errors.New("no")
	ctx := context.Background()
	for w := range 6 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(w)))
			for range 60 {
				tenant := fmt.Sprint("t", random.IntN(3))
				switch random.IntN(4) {
				case 0:
					p, err := b.log.Begin(ctx, caller(tenant), get("K"))
					if err != nil {
						t.Error(err)
						return
					}
					fail := random.IntN(2) == 0
					err = b.st.Update(ctx, func(tx driver.Tx) error {
						if err := p.EndTx(ctx, tx, audit.OK); err != nil || !fail {
							return err
						}
						return refused
					})
					if errors.Is(err, refused) {
						err = p.End(ctx, audit.Error)
					}
					if err != nil {
						t.Error(err)
					}
				case 1:
					if random.IntN(10) == 0 {
						if err := audit.Tidy(ctx, b.log); err != nil {
							t.Error(err)
						}
					}
				default:
					b.act(tenant, "K")
				}
			}
		})
	}
	wg.Wait()
	r := b.verify()
	if !r.OK() || r.Ahead != 0 || r.Carried != 0 || r.Unfinished != 0 {
		t.Fatalf("%+v", r)
	}
	again := after(t, b.moment(), b.moment())
	if second := again.verify(); second.Entries != r.Entries || !second.OK() {
		t.Errorf("%+v", second)
	}
}
