package postgresrole_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/rotation/postgresrole"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// tap is a dialer that keeps what is sent.
type tap struct {
	client *egress.Client
	mu     sync.Mutex
	sent   bytes.Buffer
}

type tapped struct {
	net.Conn
	t *tap
}

func (c tapped) Write(b []byte) (int, error) {
	c.t.mu.Lock()
	c.t.sent.Write(b)
	c.t.mu.Unlock()
	return c.Conn.Write(b)
}

func (t *tap) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := t.client.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return tapped{conn, t}, nil
}

func (t *tap) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent.String()
}

func guarded(t *testing.T, allow ...string) *egress.Client {
	t.Helper()
	p, err := egress.NewPolicy(allow...)
	if err != nil {
		t.Fatal(err)
	}
	return egress.New(p, egress.Options{DialTimeout: 2 * time.Second})
}

// house is a database with a group and an administrator, and a manager that may reach it.
type house struct {
	pg      parts.PostgresDatabase
	a, b    string // the two roles
	group   string
	m       *rotation.Manager
	st      *memory.Store
	secrets *secret.Service
	ctx     context.Context
	tap     *tap
}

func build(t *testing.T) house {
	t.Helper()
	h := house{pg: parts.Postgres(t), ctx: scope.WithScope(context.Background(), "app", "acme", "ann", "")}
	base := h.pg.User
	h.a, h.b, h.group = base+"_a", base+"_b", base+"_group"
	admin := base + "_admin"
	h.pg.Admin(t, "CREATE ROLE "+h.group, "CREATE TABLE hay (bales int)", "INSERT INTO hay VALUES (7)", "GRANT SELECT ON hay TO "+h.group,
		"CREATE ROLE "+admin+" LOGIN CREATEROLE PASSWORD 'the admin''s word'", "GRANT "+h.group+" TO "+admin+" WITH ADMIN OPTION")
	t.Cleanup(func() {
		for _, role := range []string{h.a, h.b, admin, h.group} {
			h.pg.Admin(t, "DROP OWNED BY "+h.group, "DROP ROLE IF EXISTS "+role)
			if role == h.group {
				return
			}
		}
	})
	h.st = memory.New()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	h.secrets = secret.NewService(h.st, enc)
	h.tap = &tap{client: guarded(t, h.addr())}
	h.m = rotation.NewManager(h.st, h.secrets, rotation.WithCheckInterval(5*time.Millisecond))
	h.m.RegisterKind(postgresrole.Kind, postgresrole.New(postgresrole.Options{Dial: h.tap.dial, AllowPlaintext: true}))
	h.set(t, "DB_ADMIN", fmt.Sprintf(`{"username":%q,"password":"the admin's word"}`, admin), h.addr())
	return h
}

func (h house) addr() string { return net.JoinHostPort(h.pg.Host, strconv.Itoa(h.pg.Port)) }

func (h house) set(t *testing.T, key, value string, destinations ...string) {
	t.Helper()
	var opts []secret.SetOption
	for _, d := range destinations {
		opts = append(opts, secret.WithDestinations(sealed.MustDestination(d)))
	}
	if _, err := h.secrets.Set(h.ctx, key, []byte(value), "", opts...); err != nil {
		t.Fatal(err)
	}
}

func (h house) params(change func(*postgresrole.Params)) json.RawMessage {
	p := postgresrole.Params{Host: h.pg.Host, Port: h.pg.Port, Database: h.pg.Database, Roles: []string{h.a, h.b}, Group: h.group, Admin: "DB_ADMIN", Plaintext: true}
	if change != nil {
		change(&p)
	}
	b, _ := json.Marshal(p)
	return b
}

func (h house) policy(t *testing.T, params json.RawMessage) {
	t.Helper()
	_, err := rotation.NewService(h.m).SetPolicy(h.ctx, &rotation.Policy{SecretKey: "DB", Interval: time.Hour, Grace: rotation.NoGrace,
		Enabled: true, Rotator: postgresrole.Kind, Params: params})
	if err != nil {
		t.Fatal(err)
	}
}

type login struct {
	Username, Password, Host, DBName string
	Port                             int
	Note                             string
}

func (h house) login(t *testing.T) login {
	t.Helper()
	s, err := h.secrets.Get(h.ctx, "DB", "")
	if err != nil {
		t.Fatal(err)
	}
	var l login
	if err := json.Unmarshal(reveal.Inside(s.Value), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// enters tries a login as an application would, with a client of its own.
func (h house) enters(t *testing.T, l login) error {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s sslmode=disable", h.pg.Host, h.pg.Port, l.Username, l.Password, h.pg.Database))
	if err != nil {
		return err
	}
	defer c.Close(t.Context())
	rows, err := c.Exec(t.Context(), "SELECT bales FROM hay").ReadAll()
	if err == nil && string(rows[0].Rows[0][0]) != "7" {
		err = errors.New("it does not see the hay")
	}
	return err
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func TestTwoRolesAlternate(t *testing.T) {
	h := build(t)
	h.policy(t, h.params(nil))
	var former login
	for round, role := range []string{h.a, h.b, h.a} {
		if err := h.m.RotateNow(h.ctx, "DB", ""); err != nil {
			t.Fatal(err, fault.From(err).Hint)
		}
		l := h.login(t)
		if l.Username != role || l.Host != h.pg.Host || l.Port != h.pg.Port || l.DBName != h.pg.Database || len(l.Password) != 32 {
			t.Errorf("round %d: %+v", round, l)
		}
		if err := h.enters(t, l); err != nil {
			t.Errorf("round %d: the new login: %v", round, err)
		}
		if round == 1 {
			if err := h.enters(t, former); err != nil {
				t.Errorf("the former login within the grace period: %v", err)
			}
		}
		for _, word := range []string{l.Password, "the admin's word", "the admin''s word"} {
			if bytes.Contains([]byte(h.tap.text()), []byte(word)) {
				t.Error("a password was sent to the server")
			}
		}
		former = l
	}
	if !bytes.Contains([]byte(h.tap.text()), []byte("SCRAM-SHA-256$4096:")) {
		t.Error("the tap heard nothing: the test shows nothing")
	}
	// The grace period of the former version ends.
	versions, err := h.secrets.GetVersion(h.ctx, "DB", "", 2)
	if err != nil {
		t.Fatal(err)
	}
	var second login
	if err := json.Unmarshal(reveal.Inside(versions.Value), &second); err != nil {
		t.Fatal(err)
	}
	if err := h.m.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.m.Stop(context.Background()) }()
	for deadline := time.Now().Add(20 * time.Second); h.enters(t, second) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the former login works for ever")
		}
	}
	if err := h.enters(t, h.login(t)); err != nil {
		t.Errorf("the login that is served: %v", err)
	}
}

// A secret that holds more than the login keeps it, and a login that is neither role's is left alone.
func TestAnExistingSecretIsTakenOver(t *testing.T) {
	h := build(t)
	h.set(t, "DB", fmt.Sprintf(`{"username":%q,"password":%q,"note":"kept","host":"db.internal"}`, h.pg.User, h.pg.Password))
	h.policy(t, h.params(nil))
	if err := h.m.RotateNow(h.ctx, "DB", ""); err != nil {
		t.Fatal(err)
	}
	if l := h.login(t); l.Username != h.a || l.Note != "kept" || l.Host != "db.internal" || h.enters(t, l) != nil {
		t.Errorf("%+v", l)
	}
	if err := h.m.RotateNow(h.ctx, "DB", ""); err != nil { // retires the first value on its way
		t.Fatal(err)
	}
	if out := h.pg.Admin(t, "SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = '"+h.pg.User+"'"); out[0] != "t" {
		t.Error("the password of a role that is not one of the two was taken away")
	}
}

func TestWhatIsRefused(t *testing.T) {
	h := build(t)
	h.pg.Admin(t, "CREATE ROLE "+h.b+" LOGIN CREATEDB")
	h.set(t, "NOWHERE", `{"username":"x","password":"y"}`)
	h.set(t, "ELSEWHERE", `{"username":"x","password":"y"}`, "https://db.example")
	h.set(t, "TEXT", `hay`, h.addr())
	h.set(t, "WRONG", fmt.Sprintf(`{"username":%q,"password":"hay"}`, h.pg.User+"_admin"), h.addr())
	h.set(t, "PLAIN", fmt.Sprintf(`{"username":%q,"password":%q}`, h.pg.User, h.pg.Password), h.addr())
	if _, err := h.secrets.SetShared(scope.WithScope(context.Background(), "app", "", "op", ""), "SHARED", []byte(`{"username":"x","password":"y"}`), "",
		secret.WithDestinations(sealed.MustDestination(h.addr()))); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(*postgresrole.Params)
		code   string
	}{
		"an administrator that may go nowhere":       {func(p *postgresrole.Params) { p.Admin = "NOWHERE" }, "DestinationMismatch"},
		"an administrator of another server":         {func(p *postgresrole.Params) { p.Admin = "ELSEWHERE" }, "DestinationMismatch"},
		"an administrator that every tenant shares":  {func(p *postgresrole.Params) { p.Admin = "SHARED" }, "SecretNotFound"},
		"no administrator":                           {func(p *postgresrole.Params) { p.Admin = "MISSING" }, "SecretNotFound"},
		"an administrator that is no login":          {func(p *postgresrole.Params) { p.Admin = "TEXT" }, "NotALogin"},
		"an administrator with a wrong password":     {func(p *postgresrole.Params) { p.Admin = "WRONG" }, "LoginRefused"},
		"an administrator who may not":               {func(p *postgresrole.Params) { p.Admin = "PLAIN" }, "DatabaseDenied"},
		"a role with special rights":                 {func(p *postgresrole.Params) { p.Roles = []string{h.b, h.a} }, "SpecialRole"},
		"a group that is not there":                  {func(p *postgresrole.Params) { p.Group = "nobody_here" }, "NoSuchRole"},
		"an address that the operator did not allow": {func(p *postgresrole.Params) { p.Port++; p.Admin = "ANY" }, "EgressDenied"},
		"a database without TLS when TLS is wanted":  {func(p *postgresrole.Params) { p.Plaintext = false }, "ServerRefused"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.code == "EgressDenied" {
				h.set(t, "ANY", `{"username":"x","password":"y"}`, net.JoinHostPort(h.pg.Host, strconv.Itoa(h.pg.Port+1)))
			}
			h.policy(t, h.params(tc.change))
			err := h.m.RotateNow(h.ctx, "DB", "")
			if code(err) != tc.code {
				t.Errorf("%v (%s), want %s", err, code(err), tc.code)
			}
			if err := rotation.NewService(h.m).Abandon(h.ctx, "DB", ""); err != nil && code(err) != "NothingToAbandon" {
				t.Error(err)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	good := `{"host":"db.internal","database":"app","roles":["app_a","app_b"],"group":"app","admin":"DB_ADMIN"}`
	r := postgresrole.New(postgresrole.Options{})
	if err := r.CheckParams([]byte(good)); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{
		"nothing": `{}`, "an unknown field": good[:len(good)-1] + `,"hots":1}`, "plaintext that is not allowed": good[:len(good)-1] + `,"plaintext":true}`,
		"one role":           `{"host":"h","database":"d","roles":["a"],"group":"g","admin":"A"}`,
		"a role twice":       `{"host":"h","database":"d","roles":["a","a"],"group":"g","admin":"A"}`,
		"the group as role":  `{"host":"h","database":"d","roles":["a","g"],"group":"g","admin":"A"}`,
		"a quoted role":      `{"host":"h","database":"d","roles":["a\"; DROP","b"],"group":"g","admin":"A"}`,
		"the server's own":   `{"host":"h","database":"d","roles":["a","b"],"group":"pg_read_all_data","admin":"A"}`,
		"the superuser":      `{"host":"h","database":"d","roles":["postgres","b"],"group":"g","admin":"A"}`,
		"a path as host":     `{"host":"/var/run/postgresql","database":"d","roles":["a","b"],"group":"g","admin":"A"}`,
		"a name with a user": `{"host":"u@h","database":"d","roles":["a","b"],"group":"g","admin":"A"}`,
		"a bad port":         `{"host":"h","port":70000,"database":"d","roles":["a","b"],"group":"g","admin":"A"}`,
		"a bad secret":       `{"host":"h","database":"d","roles":["a","b"],"group":"g","admin":"A B"}`,
		"a short password":   `{"host":"h","database":"d","roles":["a","b"],"group":"g","admin":"A","password":{"length":3}}`,
	} {
		if err := r.CheckParams([]byte(bad)); err == nil || fault.From(err).Where.Field == "" && fault.From(err).Kind == fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}
