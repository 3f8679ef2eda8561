package secret_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

const crashDir = "HAYWARD_TEST_CRASH_DIR"

// TestMain turns the test program into the one that is killed, when it is started with a directory.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Println("error:", writeUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// house is everything a server has of the vault.
type house struct {
	db    *db.DB
	st    *sqlite.Store
	ring  *keyring.Ring
	heads *audit.Heads
	svc   *secret.Service
}

func build(ctx context.Context, dir string) (h house, err error) {
	if h.db, err = db.OpenSQLite(ctx, filepath.Join(dir, "data", "hayward.db"), db.Options{}); err != nil {
		return h, err
	}
	h.st = sqlite.New(h.db)
	if err := h.st.Migrate(ctx); err != nil {
		return h, err
	}
	root := keyring.FileRoot(filepath.Join(dir, "root.key"), filepath.Join(dir, "data"))
	if h.ring, err = keyring.Open(ctx, h.st, root); err != nil {
		return h, err
	}
	if h.heads, err = audit.OpenHeads(filepath.Join(dir, "data", "audit.heads")); err != nil {
		return h, err
	}
	log := audit.NewLogger(h.st, audit.WithMAC(h.ring.MAC(audit.KeyPurpose)), audit.WithHeads(h.heads))
	h.svc = secret.NewService(h.st, h.ring, secret.WithGate(audit.NewGate(log, nil)))
	return h, nil
}

func (h house) close() error { return errors.Join(h.db.Close(), h.heads.Close()) }

const crashWriters = 6

// writeUntilKilled sets secrets and says so, line by line, once each is acknowledged.
func writeUntilKilled(dir string) error {
	h, err := build(context.Background(), dir)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var out sync.Mutex
	for w := range crashWriters {
		wg.Go(func() {
			tenant := fmt.Sprintf("t%d", w%3)
			key := fmt.Sprintf("K%d", w)
			for {
				m, e := h.svc.Set(as(tenant), key, fmt.Appendf(nil, "%s %s", tenant, key), "")
				if e != nil {
					err = e
					return
				}
				out.Lock()
				fmt.Printf("%s %s %d\n", tenant, key, m.Version)
				out.Unlock()
			}
		})
	}
	wg.Wait()
	return err
}

// runAndKill starts the writer, kills it after a while, and returns the last version that it acknowledged of each secret.
func runAndKill(t *testing.T, dir string, after time.Duration) map[[2]string]int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := map[[2]string]int64{}
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if len(acked) == 0 { // from the first acknowledgement on, so that writes are in flight
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		f := strings.Fields(lines.Text())
		if len(f) != 3 {
			t.Fatalf("the writer says %q", lines.Text())
		}
		n, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		acked[[2]string{f[0], f[1]}] = n
	}
	_ = cmd.Wait()
	return acked
}

// After every kill, what was acknowledged is there and whole, and the record is.
func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged := 0
	for round := range 8 {
		acked := runAndKill(t, dir, time.Duration(random.IntN(60))*time.Millisecond)
		acknowledged += len(acked)
		h, err := build(t.Context(), dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		set, err := audit.ReadHeads(filepath.Join(dir, "data", "audit.heads"))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := audit.Verify(t.Context(), h.st, &set, h.ring.MAC(audit.KeyPurpose)); err != nil || !r.OK() {
			t.Errorf("round %d: %+v, %v", round, r, err)
		}
		for w := range crashWriters {
			tenant, key := fmt.Sprintf("t%d", w%3), fmt.Sprintf("K%d", w)
			want := acked[[2]string{tenant, key}]
			s, err := h.svc.Get(as(tenant), key, "")
			switch {
			case want == 0 && errors.Is(err, base.ErrSecretNotFound):
			case err != nil:
				t.Errorf("round %d: %s of %s: %v", round, key, tenant, err)
			case s.Version < want || string(reveal.Inside(s.Value)) != tenant+" "+key:
				t.Errorf("round %d: version %d of %s is there, %d was acknowledged", round, s.Version, key, want)
			}
		}
		if err := h.close(); err != nil {
			t.Fatal(err)
		}
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged before any kill: the test shows nothing")
	}
}
