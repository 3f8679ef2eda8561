package rotation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/postgres"
)

const replicaEnv = "HAYWARD_TEST_ROTATION_REPLICA"

// replicaConfig is what a replica is started with.
type replicaConfig struct {
	Node                           string
	Host, Database, User, Password string
	Port                           int
	World                          string // the URL of the world outside
	Lease                          time.Duration
}

// runReplica rotates what is due until it is killed. What goes wrong is a line of its output.
func runReplica(text string) error {
	var c replicaConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	ctx := context.Background()
	d, err := db.OpenPostgres(ctx, db.PostgresOptions{Host: c.Host, Port: c.Port, Database: c.Database, User: c.User,
		Password: sealed.NewString(c.Password), TLS: db.TLSDisable, IdleTimeout: time.Second})
	if err != nil {
		return err
	}
	st := postgres.New(d)
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		return err
	}
	log := audit.NewLogger(st, audit.WithNode(c.Node))
	m := rotation.NewManager(st, secret.NewService(st, enc, secret.WithGate(audit.NewGate(log, nil))), rotation.WithAudit(log),
		rotation.WithLease(c.Lease), rotation.WithCheckInterval(20*time.Millisecond), rotation.WithBackoff(10*time.Millisecond, 50*time.Millisecond),
		rotation.WithLogger(slog.New(slog.NewTextHandler(os.Stdout, nil))))
	m.RegisterKind("world", socketWorld{c.World, c.Node})
	if err := m.Start(ctx); err != nil {
		return err
	}
	select {} // until it is killed
}

// deed is what the world outside is told.
type deed struct {
	Step, Node, Key, Token, Value string
}

// socketWorld is the world outside, on a socket of the test.
type socketWorld struct{ url, node string }

func (w socketWorld) do(ctx context.Context, step string, s rotation.Step, v sealed.Value) error {
	b, err := json.Marshal(deed{Step: step, Node: w.node, Key: s.App + "/" + s.Tenant + "/" + s.SecretKey, Token: s.Token, Value: string(reveal.Inside(v))})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(b))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fault.New(fault.Failed, "the world answered %d", resp.StatusCode)
	}
	return nil
}

func (w socketWorld) Create(context.Context, rotation.Step) (sealed.Value, error) {
	return rotation.NewToken(rotation.TokenSpec{})
}

func (w socketWorld) Set(ctx context.Context, s rotation.Step) error {
	return w.do(ctx, "set", s, s.Pending)
}

func (w socketWorld) Test(ctx context.Context, s rotation.Step) error {
	return w.do(ctx, "test", s, s.Pending)
}

func (w socketWorld) Retire(ctx context.Context, s rotation.Step) error {
	return w.do(ctx, "retire", s, s.Previous)
}
