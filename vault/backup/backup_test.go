package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/backup"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// other is the tables of another room, with what the vault's do not have: nulls, fractions, a row that refers to another.
var other = db.Schema{Name: "other", FS: fstest.MapFS{"00001_other.sql": {Data: []byte(`-- +goose Up
CREATE TABLE other_parent (id TEXT NOT NULL PRIMARY KEY, note TEXT) STRICT;
CREATE TABLE other_child (parent TEXT NOT NULL REFERENCES other_parent (id), n INTEGER NOT NULL, body BLOB, share REAL, PRIMARY KEY (parent, n)) STRICT;
`)}}}

// engines are the kinds of database each test of moving runs on.
var engines = map[string]func(t testing.TB) *db.DB{
	"sqlite":   func(t testing.TB) *db.DB { return dbtest.New(t, sqlite.Schema(), other) },
	"postgres": func(t testing.TB) *db.DB { return dbtest.NewPostgres(t, sqlite.Schema(), other) },
}

// house is a server's vault, with its root key in a file.
type house struct {
	backup.House
	root  keyring.Provider
	heads string
	svc   *secret.Service
	epoch int64
}

// build opens a house over a database, as a server does when it starts.
func build(t testing.TB, d *db.DB, root keyring.Provider, heads string) *house {
	t.Helper()
	h := &house{root: root, heads: heads}
	st := sqlite.New(d)
	ring, err := keyring.Open(t.Context(), st, root)
	if err != nil {
		t.Fatal(err)
	}
	h.House = backup.House{DB: d, Store: st, Ring: ring, Schemas: []db.Schema{sqlite.Schema(), other}}
	if h.epoch, err = backup.Epoch(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	h.svc = secret.NewService(st, ring, secret.WithGate(audit.NewGate(h.log(t)(h.epoch), nil)))
	return h
}

func (h *house) log(t testing.TB) func(int64) *audit.Logger {
	return func(epoch int64) *audit.Logger {
		heads, err := audit.OpenHeads(h.heads)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = heads.Close() })
		return audit.NewLogger(h.Store, audit.WithMAC(h.Ring.MAC(audit.KeyPurpose)), audit.WithHeads(heads), audit.WithEpoch(epoch))
	}
}

func (h *house) restoring(t testing.TB) backup.Restoring {
	return backup.Restoring{Log: h.log(t), Operator: scope.Caller{App: "a", User: "op"}}
}

func as(tenant string) context.Context {
	return scope.WithScope(context.Background(), "a", tenant, "ann", "10.0.0.1")
}

func fresh(t testing.TB, kind string) (d *db.DB, heads string) {
	return engines[kind](t), filepath.Join(t.TempDir(), "audit.heads")
}

func fine(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inhabited is a house with something of everything in it.
func inhabited(t testing.TB, kind string) *house {
	t.Helper()
	d, heads := fresh(t, kind)
	h := build(t, d, keyring.FileRoot(filepath.Join(t.TempDir(), "root.key")), heads)
	for _, tenant := range []string{"t", "u"} {
		for _, v := range []string{"one", "two"} {
			_, err := h.svc.Set(as(tenant), "K", []byte(v+" of "+tenant), "", secret.WithMetadata(map[string]string{"owner": "d\u00e9partement"}))
			fine(t, err)
		}
		_, err := h.svc.Set(as(tenant), "GONE", []byte("x"), "")
		fine(t, err)
		fine(t, h.svc.Delete(as(tenant), "GONE", ""))
	}
	_, err := h.svc.SetShared(as(""), "S", []byte("shared"), "", secret.WithDestinations(sealed.MustDestination("https://api.openai.com")))
	fine(t, err)
	fine(t, h.Store.(config.Store).SetConfig(scope.WithScope(t.Context(), "a", "", "", ""), &config.Entry{Key: "limit", Value: int64(7), AppID: "a"}))
	fine(t, d.Update(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO other_parent (id, note) VALUES (?, ?), (?, ?)", "p", nil, "q", "a \x01 'quote' \u65e5\u672c"); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO other_child (parent, n, body, share) VALUES (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?)",
			"p", int64(-1)<<63, []byte{}, nil, "p", int64(2), nil, 0.1, "q", int64(3), bytes.Repeat([]byte{0, 255}, 80_000), -1.5e300)
		return err
	}))
	return h
}

func written(t testing.TB, h *house) (file []byte, s backup.Summary) {
	t.Helper()
	var b bytes.Buffer
	s, err := backup.Write(t.Context(), h.House, &b)
	fine(t, err)
	return b.Bytes(), s
}

// moved is an empty house with the keys of another.
func moved(t testing.TB, kind string, from *house) *house {
	t.Helper()
	keys, err := from.Ring.Export(t.Context())
	fine(t, err)
	d, heads := fresh(t, kind)
	_, err = keyring.Import(t.Context(), sqlite.New(d), from.root, keys)
	fine(t, err)
	return build(t, d, from.root, heads)
}

func value(h *house, tenant, key string) string {
	s, err := h.svc.Get(as(tenant), key, "")
	if err != nil {
		return "error " + fault.From(err).Code
	}
	return string(reveal.Inside(s.Value))
}

func TestABackupGoesIntoAnyEngine(t *testing.T) {
	for _, from := range []string{"sqlite", "postgres"} {
		for _, to := range []string{"sqlite", "postgres"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				old := inhabited(t, from)
				file, s := written(t, old)
				h := moved(t, to, old)
				got, err := backup.Restore(t.Context(), h.House, bytes.NewReader(file), h.restoring(t))
				fine(t, err)
				if fmt.Sprint(got) != fmt.Sprint(s) || s.Rows < 20 || s.AuditEpoch != 1 {
					t.Errorf("restored %+v\nwritten  %+v", got, s)
				}
				h = build(t, h.DB, h.root, h.heads) // the server starts
				whole(t, h)
				// The same rows give the same sum, apart from the record of the restoring itself.
				if again := sums(t, h); again != sums(t, old) {
					t.Errorf("rows\n%s\nwere\n%s", again, sums(t, old))
				}
			})
		}
	}
}

// whole looks at everything that inhabited put there, and goes on working with it.
func whole(t *testing.T, h *house) {
	t.Helper()
	for _, tenant := range []string{"t", "u"} {
		if got := value(h, tenant, "K"); got != "two of "+tenant {
			t.Errorf("%s reads %q", tenant, got)
		}
		if got := value(h, tenant, "S"); got != "shared" {
			t.Errorf("%s reads %q of what is shared", tenant, got)
		}
		if m, err := h.svc.Set(as(tenant), "K", []byte("three"), ""); err != nil || m.Version != 3 || m.Metadata["owner"] != "d\u00e9partement" {
			t.Errorf("%+v, %v", m, err)
		}
		if v, err := h.svc.GetVersion(as(tenant), "K", "", 1); err != nil || string(reveal.Inside(v.Value)) != "one of "+tenant {
			t.Errorf("%v, %v", v, err)
		}
		fine(t, h.svc.Undelete(as(tenant), "GONE", ""))
	}
	if h.epoch != 2 {
		t.Errorf("the record goes on in epoch %d", h.epoch)
	}
	r, err := audit.Verify(t.Context(), h.Store, nil, h.Ring.MAC(audit.KeyPurpose))
	if err != nil || !r.OK() || r.Chains < 5 {
		t.Errorf("%+v, %v", r, err)
	}
	page, err := audit.NewService(h.Store, audit.NewGate(h.log(t)(h.epoch), nil)).List(as(""), audit.Query{Action: "backup.*"})
	if err != nil || len(page.Entries) != 2 || page.Entries[0].Outcome != audit.OK || page.Entries[0].Epoch != 2 {
		t.Errorf("%+v, %v", page, err)
	}
}

// sums is the other room's rows, as text.
func sums(t *testing.T, h *house) string {
	t.Helper()
	var out strings.Builder
	fine(t, h.DB.View(t.Context(), func(tx *db.Tx) error {
		err := tx.Query(t.Context(), "SELECT id, coalesce(note, 'null') FROM other_parent ORDER BY id", nil, func(scan func(...any) error) error {
			var id, note string
			err := scan(&id, &note)
			fmt.Fprintf(&out, "%q %q\n", id, note)
			return err
		})
		if err != nil {
			return err
		}
		return tx.Query(t.Context(), "SELECT parent, n, body, share, body IS NULL FROM other_child ORDER BY n", nil, func(scan func(...any) error) error {
			var parent string
			var n int64
			var body []byte
			var share *float64
			var null bool
			err := scan(&parent, &n, &body, &share, &null)
			fmt.Fprint(&out, parent, n, " ", len(body), null, share == nil)
			if share != nil {
				fmt.Fprint(&out, " ", *share)
			}
			out.WriteString("\n")
			return err
		})
	}))
	return out.String()
}

// isEmpty reports whether a house has no rows but the entries of a failed attempt.
func isEmpty(t *testing.T, h *house) bool {
	t.Helper()
	_, s := written(t, h)
	for _, table := range s.Tables {
		if table.Rows > 0 && !strings.HasPrefix(table.Name, "vault_audit") {
			t.Logf("%+v", table)
			return false
		}
	}
	return true
}

func TestADamagedFileIsRefused(t *testing.T) {
	old := inhabited(t, "sqlite")
	file, _ := written(t, old)
	h := moved(t, "sqlite", old)
	if len(file) < 2*64<<10 {
		t.Fatalf("%d bytes are too few for three parts", len(file))
	}
	head := bytes.IndexByte(file[len("hayward-backup/1\n"):], '\n') + len("hayward-backup/1\n") + 1
	const part = 64<<10 + 16
	first, second, rest := file[head:head+part], file[head+part:head+2*part], file[head+2*part:]
	join := func(parts ...[]byte) []byte { return bytes.Join(append([][]byte{file[:head]}, parts...), nil) }
	damaged := map[string][]byte{
		"empty": nil, "one byte more": append(bytes.Clone(file), 0), "a part too few": join(first, rest), "parts in another order": join(second, first, rest),
		"a part twice": join(first, first, second, rest), "without its end": join(first, second), "without rows": join(), "the end alone": join(rest),
		"another file's rows": func() []byte { f, _ := written(t, old); return append(bytes.Clone(file[:head]), f[head:]...) }(),
		"twice":               append(bytes.Clone(file), file...),
	}
	for n := 0; n < len(file); n += 1 + n/40 {
		flipped := bytes.Clone(file)
		flipped[n] ^= 1 << (n % 8)
		damaged[fmt.Sprintf("byte %d flipped", n)] = flipped
		damaged[fmt.Sprintf("cut off at %d", n)] = file[:n]
	}
	for name, f := range damaged {
		_, err := backup.Restore(t.Context(), h.House, bytes.NewReader(f), h.restoring(t))
		if !fault.Is(err, fault.Invalid) && !errors.Is(err, base.ErrTampered) && !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !isEmpty(t, h) {
		t.Error("something was written")
	}
	_, err := backup.Restore(t.Context(), h.House, bytes.NewReader(file), h.restoring(t))
	fine(t, err)
}

// A backup of the data holds no keys, so that without those of its server it is worth nothing.
func TestWithoutItsKeysABackupIsWorthNothing(t *testing.T) {
	old := inhabited(t, "sqlite")
	file, s := written(t, old)
	for _, table := range s.Tables {
		for _, key := range keyring.KeyTables() {
			if table.Name == key {
				t.Errorf("the backup holds %s", key)
			}
		}
	}
	for _, plain := range []string{"one of t", "two of u", "shared", "ann", "owner", "vault_secret"} {
		if bytes.Contains(file, []byte(plain)) {
			t.Errorf("the file shows %q", plain)
		}
	}
	for name, root := range map[string]keyring.Provider{"the same root key, fresh keys": old.root,
		"another root key": keyring.FileRoot(filepath.Join(t.TempDir(), "root.key"))} {
		d, heads := fresh(t, "sqlite")
		h := build(t, d, root, heads)
		if _, err := backup.Restore(t.Context(), h.House, bytes.NewReader(file), h.restoring(t)); !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("%s: %v", name, err)
		}
		if !isEmpty(t, h) {
			t.Errorf("%s: something was written", name)
		}
	}
}

// A tenant's keys are destroyed: today's keys and any earlier backup give not one value of it, and all of the others.
func TestADestroyedTenantDoesNotComeBack(t *testing.T) {
	old := inhabited(t, "sqlite")
	file, _ := written(t, old)
	_, err := old.Ring.Shred(t.Context(), keyring.ShredRequest{App: "a", Tenant: "t", Reason: "they left"})
	fine(t, err)
	if got := value(old, "t", "K"); !strings.HasPrefix(got, "error ") {
		t.Errorf("at once: %q", got)
	}
	h := moved(t, "sqlite", old)
	_, err = backup.Restore(t.Context(), h.House, bytes.NewReader(file), h.restoring(t))
	fine(t, err)
	h = build(t, h.DB, h.root, h.heads)
	for _, key := range []string{"K", "GONE"} {
		if got := value(h, "t", key); !strings.HasPrefix(got, "error ") {
			t.Errorf("%s came back: %q", key, got)
		}
	}
	if v, err := h.svc.GetVersion(as("t"), "K", "", 1); err == nil {
		t.Errorf("a version came back: %v", v)
	}
	if got := value(h, "u", "K"); got != "two of u" {
		t.Errorf("the other tenant reads %q", got)
	}
	if got := value(h, "u", "S"); got != "shared" {
		t.Errorf("the other tenant reads %q of what is shared", got)
	}
}

func TestWhatARestoreGoesInto(t *testing.T) {
	old := inhabited(t, "sqlite")
	file, _ := written(t, old)
	if _, err := backup.Restore(t.Context(), old.House, bytes.NewReader(file), old.restoring(t)); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a house with rows: %v", err)
	}
	if got := value(old, "t", "K"); got != "two of t" {
		t.Errorf("it was changed: %q", got)
	}
	h := moved(t, "sqlite", old)
	later := h.House
	later.Schemas = []db.Schema{sqlite.Schema()}
	if _, err := backup.Restore(t.Context(), later, bytes.NewReader(file), h.restoring(t)); !fault.Is(err, fault.Conflict) {
		t.Errorf("other schemas: %v", err)
	}
	pending := h.House
	two := fstest.MapFS{"00001_other.sql": other.FS.(fstest.MapFS)["00001_other.sql"], "00002_more.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other_more (k TEXT);\n")}}
	pending.Schemas = []db.Schema{sqlite.Schema(), {Name: "other", FS: two}}
	if _, err := backup.Restore(t.Context(), pending, bytes.NewReader(file), h.restoring(t)); !fault.Is(err, fault.Conflict) {
		t.Errorf("not migrated: %v", err)
	}
	if _, err := backup.Write(t.Context(), pending, &bytes.Buffer{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("writing what is not migrated: %v", err)
	}
	// A failure in the middle leaves nothing, and the next attempt is possible.
	fine(t, h.DB.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TRIGGER full BEFORE INSERT ON other_child BEGIN SELECT RAISE(ABORT, 'no room'); END")
		return err
	}))
	if _, err := backup.Restore(t.Context(), h.House, bytes.NewReader(file), h.restoring(t)); err == nil {
		t.Error("no error")
	}
	if !isEmpty(t, h) {
		t.Error("half of it was written")
	}
	fine(t, h.DB.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), "DROP TRIGGER full"); return err }))
	if _, err := backup.Restore(t.Context(), h.House, bytes.NewReader(file), h.restoring(t)); err != nil {
		t.Errorf("the second attempt: %v", err)
	}
}

// failing is a file that has no more room after so many bytes.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

func TestADiskThatIsFull(t *testing.T) {
	h := inhabited(t, "sqlite")
	file, s := written(t, h)
	for left := 0; left < len(file); left += 10_000 {
		if _, err := backup.Write(t.Context(), h.House, &failing{left}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("after %d bytes: %v", left, err)
		}
	}
	if got, err := backup.Verify(h.Ring, bytes.NewReader(file)); err != nil || fmt.Sprint(got) != fmt.Sprint(s) {
		t.Errorf("%+v, %v", got, err)
	}
	if head, err := backup.ReadHeader(bytes.NewReader(file)); err != nil || len(head.Schemas) != 2 || !head.CreatedAt.Equal(s.CreatedAt) {
		t.Errorf("%+v, %v", head, err)
	}
}
