package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/keyring"
)

const victimVariable = "HAYWARD_E2E_VICTIM"

// TestMain turns this binary into the server that gets killed, when asked to.
func TestMain(m *testing.M) {
	if dir := os.Getenv(victimVariable); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}

func victim(dir string) {
	a, err := app.Open(context.Background(), app.Settings{DataDir: filepath.Join(dir, "data"), Root: keyring.FileRoot(filepath.Join(dir, "root.key")),
		Listen: "127.0.0.1:0", Issuer: "http://hayward.test", Password: apptest.CheapPasswords()})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("url", a.URL())
	_ = a.Serve(context.Background())
}

// attack is one round: writes from several clients, until the server is killed.
type attack struct {
	url, token string
	round      int
	inFlight   atomic.Int64

	mu    sync.Mutex
	acked map[string]string // name -> content, acknowledged
	tried map[string]string // name -> content, sent
}

func (a *attack) write(name, method, path, body, content string) bool {
	a.mu.Lock()
	a.tried[name] = content
	a.mu.Unlock()
	a.inFlight.Add(1)
	defer a.inFlight.Add(-1)
	req, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
		return false
	}
	a.mu.Lock()
	a.acked[name] = content
	a.mu.Unlock()
	return true
}

func (a *attack) client(n int) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("r%d_c%d_%d", a.round, n, i)
		var ok bool
		if n%2 == 0 {
			content := "secret-value-" + name
			ok = a.write("secret "+name, "PUT", "/api/v1/secrets/"+name, `{"value": "`+content+`"}`, content)
		} else {
			content := strings.Replace(helloYAML, "Hello", name, 1)
			b, _ := json.Marshal(map[string]any{"source": content})
			ok = a.write("pipeline "+name, "PUT", "/api/v1/pipelines/"+name, string(b), content)
		}
		if !ok {
			return
		}
	}
}

// firstAcknowledged waits until there is something to lose.
func (a *attack) firstAcknowledged(t *testing.T) {
	t.Helper()
	for range 3000 {
		a.mu.Lock()
		n := len(a.acked)
		a.mu.Unlock()
		if n > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no write was acknowledged in 30 s")
}

func startVictim(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "url ")
	if err != nil || !ok {
		_ = cmd.Process.Kill()
		t.Fatalf("the server did not start: %q %v %s", line, err, stderr.String())
	}
	return cmd, url
}

func TestAKilledServerLosesNothingItAcknowledged(t *testing.T) {
	const rounds = 50
	dir := t.TempDir()
	s := apptest.StartIn(t, dir, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Stop()
	random := rand.New(rand.NewPCG(2026, 11))
	all, inFlight := map[string]string{}, 0
	for round := range rounds {
		cmd, url := startVictim(t, dir)
		a := &attack{url: url, round: round, acked: map[string]string{}, tried: map[string]string{}}
		a.token = apptest.Login(t, url, "ann", password)
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() { a.client(n) })
		}
		a.firstAcknowledged(t)
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		if a.inFlight.Load() > 0 {
			inFlight++
		}
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		wg.Wait()
		for name, content := range a.acked {
			all[name] = content
		}
		check(t, dir, a, a.acked)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	check(t, dir, &attack{}, all) // what any kill before the last one left alone
	if inFlight < rounds/2 || len(all) < rounds {
		t.Fatalf("%d kills with a write in flight, %d acknowledged writes: too few to show anything", inFlight, len(all))
	}
	t.Logf("%d kills, %d with a write in flight, %d acknowledged writes", rounds, inFlight, len(all))
}

// check opens what the killed server left behind.
func check(t *testing.T, dir string, a *attack, all map[string]string) {
	t.Helper()
	s := apptest.StartIn(t, dir, nil)
	defer s.Stop()
	ctx := s.As("ann")
	read := func(name string) (string, error) {
		kind, key, _ := strings.Cut(name, " ")
		if kind == "secret" {
			sec, err := s.Secrets.Get(ctx, key, "")
			if err != nil {
				return "", err
			}
			return string(reveal.Inside(sec.Value)), nil
		}
		p, err := s.Host.Pipeline(ctx, key)
		if err != nil {
			return "", err
		}
		return p.Source, nil
	}
	var wg sync.WaitGroup
	for name, want := range all {
		wg.Go(func() {
			if got, err := read(name); err != nil || got != want {
				t.Errorf("%s was acknowledged and reads %q, %v", name, got, err)
			}
		})
	}
	for name, want := range a.tried {
		if _, acked := a.acked[name]; acked {
			continue
		}
		wg.Go(func() {
			if got, err := read(name); err == nil && got != want {
				t.Errorf("%s was not acknowledged and is there in part: %q", name, got)
			}
		})
	}
	wg.Wait()
	report, err := s.Verify(t.Context())
	if err != nil || !report.OK() {
		t.Errorf("the audit does not verify: %v %+v", err, report.Problems)
	}
}
