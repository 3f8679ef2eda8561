package keys_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// The head file carries entries as they are stored, so that destroying a tenant's keys blinds them there, too. A key that is
// made on the way is in the database for good before anything under it is in the file.
func TestTheHeadFileCarriesNothingPersonalInClear(t *testing.T) {
	dir := t.TempDir()
	d, err := db.OpenSQLite(t.Context(), filepath.Join(dir, "v.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	st := sqlite.New(d)
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := newRecord(t, st)
	heads, err := audit.OpenHeads(filepath.Join(dir, "heads"))
	if err != nil {
		t.Fatal(err)
	}
	defer heads.Close()
	r.log = audit.NewLogger(st, audit.WithBlinder(r.blinder, audit.DefaultPersonal()), audit.WithMAC(r.ring.MAC(audit.KeyPurpose)), audit.WithHeads(heads))
	r.write(t, "t", "ann@example.org")
	first, err := os.ReadFile(heads.Path())
	if err != nil || !strings.HasPrefix(string(first), `["v1","a","t","node-1",1,1,`) {
		t.Errorf("the entry that a key was made for is not durable by itself: %s, %v", first, err)
	}
	r.write(t, "t", "ann@example.org")
	text, err := os.ReadFile(heads.Path())
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, field := range regexp.MustCompile(`"[A-Za-z0-9+/]{100,}"`).FindAllString(string(text), -1) {
		raw, err := base64.RawStdEncoding.DecodeString(strings.Trim(field, `"`))
		if err != nil {
			t.Fatal(err)
		}
		rows++
		for _, personal := range []string{"ann@example.org", "zoe@example.org", "192.0.2.77"} {
			if strings.Contains(string(raw), personal) {
				t.Errorf("%s is in the head file: %q", personal, raw)
			}
		}
		if !strings.Contains(string(raw), "secret.get") && !strings.Contains(string(raw), "user.create") {
			t.Errorf("this is no entry: %q", raw)
		}
	}
	if rows != 3 {
		t.Errorf("%d entries are carried", rows)
	}
	set, err := audit.ReadHeads(heads.Path())
	if err != nil {
		t.Fatal(err)
	}
	if report, err := audit.Verify(t.Context(), st, &set, r.ring.MAC(audit.KeyPurpose)); err != nil || !report.OK() {
		t.Errorf("%v, %v", report, err)
	}
	var _ driver.Relaxer = st
}
