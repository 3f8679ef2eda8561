//go:build unix

package rotation_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/postgres"
)

// outside is the world that the replicas change. It keeps every deed.
type outside struct {
	*httptest.Server
	mu      sync.Mutex
	accepts map[string]map[string]bool // by key: the values
	sets    map[string][]deed          // by key
	taken   chan deed                  // a deed done, whose answer is not there yet
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	o := &outside{accepts: map[string]map[string]bool{}, sets: map[string][]deed{}, taken: make(chan deed)}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var d deed
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		ok := o.take(d)
		select { // done, and the answer not there yet
		case o.taken <- d:
			time.Sleep(10 * time.Millisecond) // whoever heard of it acts now
		case <-time.After(rand.N(20 * time.Millisecond)):
		}
		if !ok {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *outside) take(d deed) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.accepts[d.Key] == nil {
		o.accepts[d.Key] = map[string]bool{"first of " + d.Key: true}
	}
	switch d.Step {
	case "set":
		o.accepts[d.Key][d.Value] = true
		o.sets[d.Key] = append(o.sets[d.Key], d)
	case "test":
		return o.accepts[d.Key][d.Value]
	case "retire":
		delete(o.accepts[d.Key], d.Value)
	}
	return true
}

// during returns while a set of a process is done and not answered, or after a while: it may have nothing left to do.
func (o *outside) during(node string) {
	for late := time.After(time.Second); ; {
		select {
		case d := <-o.taken:
			if d.Step == "set" && d.Node == node {
				return
			}
		case <-late:
			return
		}
	}
}

// replica is one process.
type replica struct {
	node  string
	cmd   *exec.Cmd
	stale *atomic.Int32 // writes it was refused because of a later fencing token
	done  chan struct{}
}

var replicaSerial atomic.Int32

func startReplica(t *testing.T, c replicaConfig, stale *atomic.Int32) *replica {
	t.Helper()
	c.Node = fmt.Sprintf("replica-%d", replicaSerial.Add(1))
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{node: c.Node, cmd: exec.Command(os.Args[0]), stale: stale, done: make(chan struct{})}
	r.cmd.Env = append(os.Environ(), replicaEnv+"="+string(text))
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.Contains(line, "StaleFence"):
				stale.Add(1)
			case strings.HasPrefix(line, "error:"), testing.Verbose():
				t.Logf("%s: %s", c.Node, line)
			}
		}
		_ = r.cmd.Wait()
	}()
	t.Cleanup(r.kill)
	return r
}

// kill ends the process as a power cut would.
func (r *replica) kill() {
	_ = r.cmd.Process.Signal(syscall.SIGKILL)
	<-r.done
}

const (
	duePolicies  = 200
	replicaLease = time.Second
	maxKills     = 12 // then what is left is done in peace
)

// TestTwoProcessesOneKilledAtRandom: 200 due policies of several apps and tenants, two processes on one PostgreSQL of which
// one or the other is killed or stands still at random. Each policy ends with one new version and one success; a step is
// repeated with the same token and value only; who comes back after its lease has ended is refused.
func TestTwoProcessesOneKilledAtRandom(t *testing.T) {
	e := dbtest.Postgres(t)
	st := postgres.New(e.Open(t, db.Options{}))
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	world := newOutside(t)
	owners := seedDue(t, st)
	c := replicaConfig{Host: e.Server.Host, Port: e.Server.Port, Database: e.Server.Database, User: e.Server.User, Password: e.Server.Password,
		World: world.URL, Lease: replicaLease}
	var stale atomic.Int32
	both := [2]*replica{startReplica(t, c, &stale), startReplica(t, c, &stale)}
	kills, stops := 0, 0
	for deadline := time.Now().Add(8 * time.Minute); ; { // a busy machine with -race needs four
		left := unfinished(t, st)
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not rotated after %d kills and %d stops: %q", kills, stops, left)
		}
		time.Sleep(200*time.Millisecond + rand.N(400*time.Millisecond))
		switch victim := rand.N(2); {
		case stops <= kills && stale.Load() == 0:
			world.during(both[victim].node)
			standStill(t, both[victim])
			stops++
		case kills < maxKills:
			if kills%3 == 0 { // the others at any moment
				world.during(both[victim].node)
			}
			both[victim].kill()
			both[victim] = startReplica(t, c, &stale)
			kills++
		}
	}
	for _, r := range both {
		r.kill()
	}
	t.Logf("%d kills, %d stops, %d writes refused", kills, stops, stale.Load())
	if kills < 3 || stale.Load() == 0 {
		t.Errorf("%d kills and %d refused writes show too little", kills, stale.Load())
	}
	repeated := checkRotated(t, st, world, owners)
	if repeated == 0 {
		t.Error("no step was repeated: the kills show too little")
	}
	if r, err := audit.Verify(t.Context(), st, nil, nil); err != nil || !r.OK() {
		t.Errorf("the record: %+v, %v", r, err)
	}
}

// standStill stops a process for longer than its lease, as a paused machine would.
func standStill(t *testing.T, r *replica) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(replicaLease + replicaLease/2)
	if err := r.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
}

// owned is one policy's secret.
type owned struct{ app, tenant, key string }

func (o owned) String() string { return o.app + "/" + o.tenant + "/" + o.key }

// seedDue makes the secrets and their policies, all of them due.
func seedDue(t *testing.T, st *postgres.Store) (out []owned) {
	t.Helper()
	secrets := secretsIn(t, st)
	for i := range duePolicies {
		o := owned{fmt.Sprint("app", i%3), fmt.Sprint("tenant", i%7), fmt.Sprint("KEY_", i)}
		ctx := scope.WithScope(t.Context(), o.app, o.tenant, "ann", "")
		setSecret(t, secrets, ctx, o.key, "first of "+o.String())
		save(t, st, ctx, rotation.Policy{SecretKey: o.key, Interval: time.Hour, Grace: rotation.NoGrace, Enabled: true, Rotator: "world", NextRotationAt: long()})
		out = append(out, o)
	}
	return out
}

// unfinished lists what is still due or in somebody's hands. A process that was killed between two rotations may leave its
// name in a row that nobody needs for an hour; what counts is that its lease runs out.
func unfinished(t *testing.T, st *postgres.Store) (left []string) {
	t.Helper()
	err := st.View(t.Context(), func(tx driver.Tx) error {
		for _, app := range []string{"app0", "app1", "app2"} {
			rows, err := tx.ListRotationPoliciesEveryTenant(t.Context(), app, "", "", 1000)
			if err != nil {
				return err
			}
			for _, r := range rows {
				row, err := tx.Rotation(t.Context(), r.App, r.Tenant, r.Name)
				if err != nil {
					return err
				}
				if r.LastAt == 0 || row.State != "" || (row.Holder != "" && row.LeaseAt > tx.Now()) {
					left = append(left, fmt.Sprintf("%s/%s/%s: state %q, lease ends in %dms, last %d", r.App, r.Tenant, r.Name, row.State, (row.LeaseAt-tx.Now())/1000, r.LastAt))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func checkRotated(t *testing.T, st *postgres.Store, world *outside, owners []owned) (repeated int) {
	t.Helper()
	secrets := secretsIn(t, st)
	for _, o := range owners {
		ctx := scope.WithScope(t.Context(), o.app, o.tenant, "ann", "")
		value, version := served(t, secrets, ctx, o.key)
		versions, err := secrets.ListVersions(ctx, o.key, "")
		if err != nil || version != 2 || len(versions) != 2 {
			t.Errorf("%s is at version %d of %d, %v", o, version, len(versions), err)
		}
		rotated := 0
		for _, outcome := range history(t, st, ctx, o.key) {
			if outcome == "rotated" {
				rotated++
			}
		}
		if rotated != 1 {
			t.Errorf("%s has %d records of success", o, rotated)
		}
		sets := world.sets[o.String()]
		for _, d := range sets {
			if d.Token != sets[0].Token || d.Value != value {
				t.Errorf("%s was set with another token or value: %v", o, sets)
			}
		}
		if len(sets) == 0 {
			t.Errorf("%s was never set", o)
		}
		repeated += max(0, len(sets)-1)
		if now := world.accepts[o.String()]; len(now) != 1 || !now[value] {
			t.Errorf("the world accepts %d values of %s", len(now), o)
		}
	}
	return repeated
}
