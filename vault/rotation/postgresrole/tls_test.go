package postgresrole_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/rotation/postgresrole"
)

// TestTheServersNameIsChecked: with the right root a login goes on inside TLS; without it, it ends before anything is said.
func TestTheServersNameIsChecked(t *testing.T) {
	site := httptest.NewTLSServer(nil) // for its certificate, which names 127.0.0.1
	defer site.Close()
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	for name, tc := range map[string]struct {
		conf *tls.Config
		code string
		kind fault.Kind
	}{
		"the right root":           {&tls.Config{RootCAs: roots}, "LoginRefused", fault.Failed},
		"another root":             {&tls.Config{RootCAs: x509.NewCertPool()}, "", fault.Unavailable},
		"the system's roots":       {nil, "", fault.Unavailable},
		"checking cannot be off":   {&tls.Config{RootCAs: x509.NewCertPool(), InsecureSkipVerify: true}, "", fault.Unavailable},
		"another name is not ours": {&tls.Config{RootCAs: roots, ServerName: "db.example"}, "LoginRefused", fault.Failed}, // the host's name is what counts
	} {
		t.Run(name, func(t *testing.T) {
			addr, user := secureServer(t, site.TLS.Certificates)
			host, port, _ := net.SplitHostPort(addr)
			r := postgresrole.New(postgresrole.Options{Dial: guarded(t, addr).Dial, TLS: tc.conf})
			params := `{"host":"` + host + `","port":` + port + `,"database":"d","roles":["app_a","app_b"],"group":"app","admin":"ADMIN"}`
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := r.Test(ctx, rotation.Step{Params: json.RawMessage(params), Pending: sealed.NewString(`{"username":"app_a","password":"pw"}`)})
			if !fault.Is(err, tc.kind) || code(err) != tc.code {
				t.Errorf("%v (%v, %s)", err, fault.KindOf(err), code(err))
			}
			if got := <-user; (got == "app_a") != (tc.code != "") {
				t.Errorf("the server was told the user %q", got)
			}
		})
	}
}

// secureServer speaks TLS as PostgreSQL does, and refuses every login.
func secureServer(t *testing.T, certs []tls.Certificate) (addr string, user chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	user = make(chan string, 1)
	go func() {
		defer close(user)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil {
			return
		}
		if _, err := conn.Write([]byte("S")); err != nil {
			return
		}
		secure := tls.Server(conn, &tls.Config{Certificates: certs})
		b := pgproto3.NewBackend(secure, secure)
		msg, err := b.ReceiveStartupMessage()
		if err != nil {
			return
		}
		if m, ok := msg.(*pgproto3.StartupMessage); ok {
			user <- m.Parameters["user"]
		}
		b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "canary"})
		_ = b.Flush()
	}()
	return l.Addr().String(), user
}
