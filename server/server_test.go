package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server"
)

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve serves until the test or the returned func ends it; the func returns what Serve did.
func serve(t *testing.T, o server.Options) (*server.Server, *logs, func() error) {
	t.Helper()
	l := &logs{}
	if o.Log = slog.New(slog.NewTextHandler(l, nil)); o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	s, err := server.Listen(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	end := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = end() })
	return s, l, end
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func TestPlaintextStaysOnLoopback(t *testing.T) {
	for address, good := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, "127.0.0.9:0": true, "0.0.0.0:0": false, ":0": false, "[::]:0": false,
		"192.0.2.1:0": false, "example.com:0": false, "127.0.0.1": false, "": false} {
		s, err := server.Listen(context.Background(), server.Options{Address: address, Handler: says("x")})
		if (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
		if !good && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is refused as %v", address, err)
		}
		if server.IsLoopback(address) != good {
			t.Errorf("IsLoopback(%q) is %v", address, !good)
		}
		_ = s
	}
	if _, err := server.Listen(context.Background(), server.Options{Address: "0.0.0.0:0", Handler: says("x"), PlaintextOffLoopback: true}); err != nil {
		t.Errorf("in so many words: %v", err)
	}
}

func TestWhatCannotBeServedIsSaid(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dir := t.TempDir()
	cert, key := certificate(t, dir, "one", time.Hour)
	_, other := certificate(t, dir, "two", time.Hour)
	for name, tc := range map[string]struct {
		o    server.Options
		kind fault.Kind
		says string
	}{
		"a busy port":       {server.Options{Address: ln.Addr().String()}, fault.Unavailable, ln.Addr().String()},
		"a key is missing":  {server.Options{Address: "127.0.0.1:0", CertFile: cert}, fault.Invalid, "both"},
		"a file is missing": {server.Options{Address: "127.0.0.1:0", CertFile: cert + "x", KeyFile: key}, fault.Invalid, cert + "x"},
		"another's key":     {server.Options{Address: "127.0.0.1:0", CertFile: cert, KeyFile: other}, fault.Invalid, "cannot be used"},
	} {
		tc.o.Handler = says("x")
		if _, err := server.Listen(context.Background(), tc.o); !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) || fault.From(err).Hint == "" && name != "a key is missing" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// certificate writes a self-signed certificate and its key.
func certificate(t *testing.T, dir, name string, valid time.Duration) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour),
		NotAfter: time.Now().Add(valid), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return cert, key
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// shown returns the name of the certificate that a new connection is shown, and its protocol.
func shown(t *testing.T, s *server.Server, o *tls.Config) (name, protocol string, err error) {
	t.Helper()
	o.InsecureSkipVerify = true
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.URL(), "https://"), o)
	if err != nil {
		return "", "", err
	}
	defer conn.Close()
	state := conn.ConnectionState()
	return state.PeerCertificates[0].Subject.CommonName, state.NegotiatedProtocol, nil
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, "first", time.Hour)
	s, logs, _ := serve(t, server.Options{Handler: says("hello"), CertFile: cert, KeyFile: key, CertCheck: time.Millisecond})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := client.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "hello" || resp.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%s %x", b, resp.TLS.Version)
	}
	if name, protocol, err := shown(t, s, &tls.Config{NextProtos: []string{"h2"}}); err != nil || name != "first" || protocol != "h2" {
		t.Errorf("%s %s %v", name, protocol, err)
	}
	if _, _, err := shown(t, s, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if !strings.Contains(logs.String(), "expires within a week") {
		t.Errorf("nobody is told that the certificate expires in an hour: %s", logs)
	}
	// The certificate comes first and its key later: until then the old pair is shown.
	second, secondKey := certificate(t, dir, "second", -time.Hour)
	take(t, second, cert)
	if name, _, err := shown(t, s, &tls.Config{}); err != nil || name != "first" {
		t.Errorf("half a pair: %s %v", name, err)
	}
	take(t, secondKey, key)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if name, _, err := shown(t, s, &tls.Config{}); err == nil && name == "second" {
			break
		} else if time.Now().After(end) {
			t.Fatalf("still %s %v: %s", name, err, logs)
		}
	}
	if text := logs.String(); !strings.Contains(text, "the old one stays") || !strings.Contains(text, "has expired") {
		t.Errorf("the log says %s", text)
	}
}

func take(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, b)
}

// A request under way at shutdown is answered; a new one is refused.
func TestGracefulShutdown(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	s, _, end := serve(t, server.Options{Grace: 20 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-release
		if r.Context().Err() != nil {
			t.Error("the request was canceled")
		}
		_, _ = io.WriteString(w, "done")
	})})
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get(s.URL())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		answer <- string(b)
	}()
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("new connections are taken")
		}
	}
	close(release)
	if got := <-answer; got != "done" {
		t.Errorf("got %s", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
}

// A request that outlasts the grace is canceled, and Serve returns only when its handler has.
func TestTheGraceEnds(t *testing.T) {
	begun := make(chan struct{})
	var returned sync.WaitGroup
	returned.Add(1)
	late := false
	s, logs, end := serve(t, server.Options{Grace: 20 * time.Millisecond, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer returned.Done()
		close(begun)
		<-r.Context().Done()
		time.Sleep(100 * time.Millisecond) // writes down how it ended
		late = true
	})})
	go func() {
		if resp, err := http.Get(s.URL()); err == nil {
			resp.Body.Close()
		}
	}()
	<-begun
	if err := end(); err != nil {
		t.Error(err)
	}
	if !late {
		t.Error("Serve returned before the handler did")
	}
	returned.Wait()
	if !strings.Contains(logs.String(), "cut off") {
		t.Errorf("the log says %s", logs)
	}
}

func TestSlowAndLargeHeaders(t *testing.T) {
	s, _, _ := serve(t, server.Options{Handler: says("x"), MaxHeaderBytes: 4096, HeaderTimeout: 50 * time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if b, err := io.ReadAll(conn); err != nil || strings.Contains(string(b), "200") {
		t.Errorf("a client that never ends its headers gets %q, %v", b, err)
	}
	req, err := http.NewRequest("GET", s.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("large headers get %d", resp.StatusCode)
	}
}
