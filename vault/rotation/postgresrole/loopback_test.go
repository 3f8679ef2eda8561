package postgresrole_test

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/rotation/postgresrole"
)

// TestPlaintextIsForThisMachine: TLS is the rule, and what may do without it must be named as this machine and be it.
func TestPlaintextIsForThisMachine(t *testing.T) {
	r := postgresrole.New(postgresrole.Options{LoopbackPlaintext: true})
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "LOCALHOST": true,
		"db.example": false, "localhost.example": false, "10.0.0.1": false, "127.0.0.1.example": false, "0.0.0.0": false} {
		err := r.CheckParams(json.RawMessage(`{"host":"` + host + `","database":"d","roles":["app_a","app_b"],"group":"app","admin":"ADMIN","plaintext":true}`))
		if (err == nil) != want || err != nil && (!fault.Is(err, fault.Denied) || !strings.Contains(fault.From(err).Hint, "localhost")) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := postgresrole.New(postgresrole.Options{}).CheckParams(json.RawMessage(`{"host":"localhost","database":"d","roles":["app_a","app_b"],"group":"app","admin":"ADMIN","plaintext":true}`)); !fault.Is(err, fault.Denied) {
		t.Errorf("nobody allowed it: %v", err)
	}
}

// elsewhere is a connection that ends at another machine.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5432} }

func TestANameOfThisMachineThatLeadsElsewhere(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"here": func(c net.Conn) net.Conn { return c }, "elsewhere": func(c net.Conn) net.Conn { return elsewhere{c} },
	} {
		addr, told := hostile(t, &pgproto3.AuthenticationCleartextPassword{})
		r := postgresrole.New(postgresrole.Options{LoopbackPlaintext: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			conn, err := guarded(t, addr).Dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return wrap(conn), nil
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := r.Test(ctx, rotation.Step{Params: json.RawMessage(`{"host":"localhost","database":"d","roles":["app_a","app_b"],"group":"app","admin":"ADMIN","plaintext":true}`),
			Pending: sealed.NewString(`{"username":"app_a","password":"pw-canary"}`)})
		cancel()
		if want := map[string]string{"here": "ServerRefused", "elsewhere": ""}[name]; !fault.Is(err, fault.Denied) || fault.From(err).Code != want {
			t.Errorf("%s: %v", name, err)
		}
		for text := range told {
			if strings.Contains(text, "canary") {
				t.Errorf("%s: it was told %q", name, text)
			}
		}
	}
}
