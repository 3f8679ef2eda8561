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

// hostile is a database server that answers a login as it likes, and keeps what it is told.
func hostile(t *testing.T, answers ...pgproto3.BackendMessage) (addr string, told chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	told = make(chan string, 10)
	go func() {
		defer close(told)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		b := pgproto3.NewBackend(conn, conn)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		for _, a := range answers {
			b.Send(a)
			if b.Flush() != nil {
				return
			}
			switch a.(type) {
			case *pgproto3.AuthenticationSASL:
				_ = b.SetAuthType(pgproto3.AuthTypeSASL)
			case *pgproto3.AuthenticationSASLContinue:
				_ = b.SetAuthType(pgproto3.AuthTypeSASLContinue)
			case *pgproto3.AuthenticationCleartextPassword:
				_ = b.SetAuthType(pgproto3.AuthTypeCleartextPassword)
			default:
				continue
			}
			msg, err := b.Receive()
			if err != nil {
				return
			}
			raw, _ := msg.Encode(nil)
			told <- string(raw)
		}
	}()
	return l.Addr().String(), told
}

// TestAHostileServerLearnsNothing: whatever a server asks for, it is not told the password, and a login that it lets in
// without knowing the password does not count.
func TestAHostileServerLearnsNothing(t *testing.T) {
	sasl := &pgproto3.AuthenticationSASL{AuthMechanisms: []string{"SCRAM-SHA-256"}}
	for name, answers := range map[string][]pgproto3.BackendMessage{
		"cleartext":          {&pgproto3.AuthenticationCleartextPassword{}},
		"md5":                {&pgproto3.AuthenticationMD5Password{Salt: [4]byte{1, 2, 3, 4}}},
		"another mechanism":  {&pgproto3.AuthenticationSASL{AuthMechanisms: []string{"PLAIN"}}},
		"no login at all":    {&pgproto3.AuthenticationOk{}, &pgproto3.ReadyForQuery{TxStatus: 'I'}},
		"a nonce of its own": {sasl, &pgproto3.AuthenticationSASLContinue{Data: []byte("r=x,s=W22Z,i=4096")}},
		"no proof": {sasl, &pgproto3.AuthenticationSASLContinue{Data: []byte("r=x,s=W22Z,i=4096")},
			&pgproto3.AuthenticationSASLFinal{Data: []byte("v=AAAA")}, &pgproto3.AuthenticationOk{}},
		"a proof without a login": {&pgproto3.AuthenticationSASLFinal{Data: []byte("v=")}, &pgproto3.AuthenticationOk{}},
	} {
		t.Run(name, func(t *testing.T) {
			addr, told := hostile(t, answers...)
			host, port, _ := net.SplitHostPort(addr)
			r := postgresrole.New(postgresrole.Options{Dial: guarded(t, addr).Dial, AllowPlaintext: true})
			params := `{"host":"` + host + `","port":` + port + `,"database":"d","roles":["app_a","app_b"],"group":"app","admin":"ADMIN","plaintext":true}`
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := r.Test(ctx, rotation.Step{Params: json.RawMessage(params), Pending: sealed.NewString(`{"username":"app_a","password":"pw-canary"}`)})
			if !fault.Is(err, fault.Denied) || fault.From(err).Code != "ServerRefused" || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v", err)
			}
			for text := range told {
				if strings.Contains(text, "canary") {
					t.Errorf("it was told %q", text)
				}
			}
		})
	}
}

func TestAServerThatSaysNothingIsLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	r := postgresrole.New(postgresrole.Options{Dial: guarded(t, l.Addr().String()).Dial, AllowPlaintext: true})
	params := `{"host":"` + host + `","port":` + port + `,"database":"d","roles":["app_a","app_b"],"group":"app","admin":"ADMIN","plaintext":true}`
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = r.Test(ctx, rotation.Step{Params: json.RawMessage(params), Pending: sealed.NewString(`{"username":"app_a","password":"pw"}`)})
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("%v", err)
	}
}
