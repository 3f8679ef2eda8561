package audit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// moment is what a disk holds: the database with its log, and the head file.
type moment struct{ db, wal, heads []byte }

func (b *bench) moment() (m moment) {
	b.t.Helper()
	for name, dest := range map[string]*[]byte{"hayward.db": &m.db, "hayward.db-wal": &m.wal, "audit.heads": &m.heads} {
		var err error
		if *dest, err = os.ReadFile(filepath.Join(b.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			b.t.Fatal(err)
		}
	}
	m.heads = bytes.TrimRight(m.heads, "\x00") // room for the lines to come
	return m
}

// after is a machine that starts again with the database of one moment and the head file of another.
func after(t *testing.T, database, file moment) *bench {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string][]byte{"hayward.db": database.db, "hayward.db-wal": database.wal, "audit.heads": file.heads} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, dir)
}

func (b *bench) endTx(tenant string) {
	b.t.Helper()
	p, err := b.log.Begun(caller(tenant), get("K"))
	if err == nil {
		err = b.st.Update(context.Background(), func(tx driver.Tx) error { return p.EndTx(context.Background(), tx, audit.OK) })
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// Whatever moment of the database's log survives beside whatever moment of the head file: what was acknowledged is there after
// the start, once, and the chains are whole. What a transaction made durable cannot be lost that way: where it is, it was cut off.
func TestEveryAcknowledgedEntrySurvivesALossOfPower(t *testing.T) {
	b := open(t, t.TempDir())
	b.endTx("t")
	steps := []func(){
		func() { b.act("t", "K") },
		func() { b.act("u", "K") },
		func() { b.act("t", "K") },
		func() { b.endTx("t") },
		func() { b.act("u", "K"); b.act("t", "K") },
		func() { b.act("t", "K") },
	}
	const lasting = 4 // after this step the database is on disk
	moments, acked := []moment{b.moment()}, [][]driver.AuditRow{b.rows()}
	for _, step := range steps {
		step()
		moments, acked = append(moments, b.moment()), append(acked, b.rows())
	}
	for k := range moments {
		for j := range moments {
			t.Run(fmt.Sprintf("database %d, file %d", k, j), func(t *testing.T) {
				again := after(t, moments[k], moments[j])
				if r := again.verify(); r.OK() != (len(acked[k]) >= len(acked[j])) {
					t.Errorf("before the start: %v", r.Problems)
				}
				err := again.tries("t")
				if k < lasting && j >= lasting {
					if err == nil || !strings.Contains(err.Error(), "was changed") {
						t.Fatalf("an end that was on disk is missing, and it goes on: %v", err)
					}
					return
				}
				if err = errors.Join(err, again.tries("u")); err != nil {
					t.Fatal(err)
				}
				r := again.verify()
				if !r.OK() || r.Ahead != 0 {
					t.Fatalf("%+v", r)
				}
				have := map[string]int{}
				notes := 0
				for _, row := range again.rows() {
					have[fmt.Sprintf("%s %d %x", row.Tenant, row.Seq, row.Hash)]++
					if row.Action == "audit.put_back" {
						notes++
					}
				}
				for _, row := range acked[j] {
					if have[fmt.Sprintf("%s %d %x", row.Tenant, row.Seq, row.Hash)] != 1 {
						t.Errorf("entry %d of %s was acknowledged and is there %d times", row.Seq, row.Tenant, have[fmt.Sprintf("%s %d %x", row.Tenant, row.Seq, row.Hash)])
					}
				}
				if (notes > 0) != (len(acked[k]) < len(acked[j])) {
					t.Errorf("%d entries say that something was put back", notes)
				}
			})
		}
	}
}

func TestWhatWasPutBackIsRecorded(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	early := b.moment()
	b.act("t", "K")
	again := after(t, early, b.moment())
	again.act("t", "K")
	if again.verify(); len(again.actions("t")) != 7 {
		t.Errorf("%d entries", len(again.actions("t")))
	}
	for _, tenant := range []string{"t", driver.Operator} {
		found := ""
		for _, r := range again.actions(tenant) {
			if r.Action == "audit.put_back" {
				found += r.Name + r.Details
			}
		}
		if found != `t[["entries","2"],["first","3"],["last","4"],["node","node-1"],["epoch","1"]]` {
			t.Errorf("%s: %s", tenant, found)
		}
	}
	again.close() // and only once
	third := open(t, again.dir)
	third.act("t", "K")
	if n := len(third.actions("t")); n != 9 {
		t.Errorf("%d entries after another start", n)
	}
}

// The checkpointer settles every chain when it starts, also one that nobody writes to and one that is lost as a whole.
func TestTheCheckpointerPutsBack(t *testing.T) {
	b := open(t, t.TempDir())
	b.endTx("other")
	early := b.moment()
	b.act("t", "K")
	again := after(t, early, b.moment())
	ck := again.checkpointer()
	if _, _, err := ck.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := again.verify(); !r.OK() || len(again.actions("t")) != 3 {
		t.Errorf("%v, %d entries", r.Problems, len(again.actions("t")))
	}
}

// Lines of the file that are torn anywhere were not acknowledged, and hide none that were.
func TestATornLine(t *testing.T) {
	b := open(t, t.TempDir())
	b.endTx("t")
	early := b.moment()
	b.act("t", "K")
	whole := len(b.moment().heads)
	b.act("t", "K")
	late := b.moment()
	for cut := whole; cut < len(late.heads); cut += 37 {
		again := after(t, early, moment{heads: late.heads[:cut]})
		again.act("t", "K")
		r := again.verify()
		if n := len(again.actions("t")); !r.OK() || n < 1+2+1+2 || n > 1+3+1+2 {
			t.Errorf("cut at %d of %d: %d entries, %v", cut, len(late.heads), n, r.Problems)
		}
	}
}

// Somebody who can write both files and has no key puts nothing in.
func TestAForgedLineIsNotPutBack(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	early := b.moment()
	b.act("t", "K")
	late := b.moment()
	lines := bytes.SplitAfter(late.heads, []byte{'\n'})
	last := len(lines) - 2
	from := bytes.LastIndexByte(lines[last], '[') + 2
	row, err := base64.RawStdEncoding.DecodeString(string(lines[last][from : len(lines[last])-4]))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(row); i += 5 {
		forged := bytes.Clone(row)
		forged[i] ^= 1
		text := base64.RawStdEncoding.EncodeToString(forged)
		heads := append(bytes.Join(lines[:last], nil), strings.Replace(string(lines[last]), base64.RawStdEncoding.EncodeToString(row), text, 1)...)
		again := after(t, early, moment{heads: heads})
		if err := again.tries("t"); err == nil || !strings.Contains(err.Error(), "was changed") {
			t.Errorf("byte %d of %d is another, and it goes on: %v", i, len(row), err)
		}
		if n := len(again.actions("t")); n != 2 {
			t.Errorf("byte %d: %d entries", i, n)
		}
		again.close()
	}
}

// A database does not lose anything while the process runs: that was somebody.
func TestAnEndCutOffWhileTheServerRunsIsNotPutBack(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	b.act("t", "K")
	b.exec("DELETE FROM vault_audit WHERE tenant = 't' AND seq > 2")
	if err := b.tries("t"); err == nil || !strings.Contains(err.Error(), "entries 3 to 4 are missing") {
		t.Errorf("%v", err)
	}
	if r := b.verify(); r.OK() || r.Problems[0].Seq != 3 {
		t.Errorf("%v", r.Problems)
	}
	b.close()
	if err := open(t, b.dir).tries("t"); err == nil {
		t.Error("after a stop in order it goes on")
	}
}

func TestTheHeadFileDropsWhatTheDatabaseHas(t *testing.T) {
	b := open(t, t.TempDir())
	for range 20 {
		b.act("t", "K")
	}
	carried, size := audit.Carried(b.heads)
	if carried != 40 || int64(len(b.moment().heads)) != size {
		t.Errorf("%d entries, %d bytes", carried, size)
	}
	if err := audit.Tidy(t.Context(), b.log); err != nil {
		t.Fatal(err)
	}
	durable := b.moment()
	if carried, size = audit.Carried(b.heads); carried != 0 || size > 300 || size != int64(len(durable.heads)) {
		t.Errorf("%d entries, %d bytes", carried, size)
	}
	b.act("t", "K")
	late := b.moment()
	if again := after(t, durable, late); again.tries("t") != nil || len(again.actions("t")) != 45 {
		t.Errorf("%d entries", len(again.actions("t")))
	}
}

// Tidying beside writers loses nothing of either file.
func TestTidyingBesideWriters(t *testing.T) {
	b := open(t, t.TempDir())
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					b.act(fmt.Sprint("t", w%2), "K")
				}
			}
		})
	}
	for range 20 {
		if err := audit.Tidy(t.Context(), b.log); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	if r := b.verify(); !r.OK() || r.Ahead != 0 || r.Unfinished != 0 {
		t.Errorf("%+v", r)
	}
}

// A file written by an earlier version has heads alone.
func TestAHeadFileWithoutEntriesIsReadAsBefore(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	audit.Compact(t, b.heads)
	if text := string(b.moment().heads); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, `["v1","a","t","node-1",1,2,"`) {
		t.Errorf("%s", text)
	}
	b.close()
	again := open(t, b.dir)
	again.act("t", "K")
	if r := again.verify(); !r.OK() || r.Entries != 4 {
		t.Errorf("%+v", r)
	}
}

// After one entry that could not be written to the file, all that follow fail, until it can be written; then nothing is missing.
func TestAfterAFailureOfTheFileEveryEntryFails(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	mend := audit.Break(b.heads)
	for range 3 {
		if err := b.tries("t"); err == nil {
			t.Error("an entry is acknowledged that is not on disk")
		}
	}
	if r := b.verify(); r.Ahead != 1 {
		t.Errorf("the database runs ahead: %+v", r)
	}
	mend()
	b.act("t", "K")
	if r := b.verify(); !r.OK() || r.Ahead != 0 || r.Entries != 5 {
		t.Errorf("%+v", r)
	}
	if again := after(t, moment{}, b.moment()); again.tries("t") != nil || len(again.actions("t")) != 5+1+2 {
		t.Errorf("the file does not carry what was committed while it failed: %d entries", len(again.actions("t")))
	}
}
