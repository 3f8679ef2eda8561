package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
)

// Server is a running server.
type Server struct {
	*app.App
	T    testing.TB
	Dir  string // the data directory
	Logs *Buffer

	stop func()
}

// Buffer is a bytes.Buffer for several writers.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Start starts a server that ends with the test.
func Start(t testing.TB, change func(*app.Settings)) *Server {
	t.Helper()
	return StartIn(t, t.TempDir(), change)
}

// StartIn starts a server on a directory that may have been used before.
func StartIn(t testing.TB, dir string, change func(*app.Settings)) *Server {
	t.Helper()
	logs := &Buffer{}
	s := app.Settings{DataDir: filepath.Join(dir, "data"), Root: keyring.FileRoot(filepath.Join(dir, "root.key")), Listen: "127.0.0.1:0",
		Issuer: "http://hayward.test", Version: "test", Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Password: CheapPasswords()}
	if change != nil {
		change(&s)
	}
	a, err := app.Open(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	srv := &Server{App: a, T: t, Dir: s.DataDir, Logs: logs}
	srv.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(srv.stop)
	return srv
}

// Stop stops the server before the test ends.
func (s *Server) Stop() { s.stop() }

// CheapPasswords are hashes that cost next to nothing.
func CheapPasswords() password.Options {
	return password.Options{Params: password.Params{Memory: 64, Time: 1, Threads: 1, Salt: 16, Key: 32}}
}

// Member makes a user in a tenant, and the tenant if need be. It returns the tenant's id.
func (s *Server) Member(slug, user, pass string, roles policy.Roles) string {
	s.T.Helper()
	ctx := context.Background()
	tn, ok := s.Auth.Identity.TenantBySlug(s.AppID, slug)
	if !ok {
		made, err := s.Auth.Identity.CreateTenant(ctx, s.AppID, slug, slug)
		if err != nil {
			s.T.Fatal(err)
		}
		tn = &made
	}
	u, err := s.Auth.CreateUser(ctx, s.AppID, identity.NewUser{Name: user}, sealed.NewString(pass))
	if err == nil {
		err = s.Auth.Identity.SetMembership(ctx, s.AppID, tn.ID, u.ID, roles)
	}
	if err != nil {
		s.T.Fatal(err)
	}
	return tn.ID
}

// Operator makes an operator.
func (s *Server) Operator(user, pass string) {
	s.T.Helper()
	if _, err := s.Auth.CreateUser(context.Background(), s.AppID, identity.NewUser{Name: user, Operator: true}, sealed.NewString(pass)); err != nil {
		s.T.Fatal(err)
	}
}

// As returns the context of a user in his home tenant, for calls past the doors.
func (s *Server) As(user string) context.Context {
	s.T.Helper()
	u, err := s.Auth.Identity.UserByName(context.Background(), s.AppID, user)
	if err != nil {
		s.T.Fatal(err)
	}
	return scope.WithScope(context.Background(), s.AppID, u.HomeTenant, u.ID, "127.0.0.1")
}

// Login logs in and returns the access token.
func (s *Server) Login(user, pass string) string {
	s.T.Helper()
	return Login(s.T, s.URL(), user, pass)
}

// Login logs in at a server and returns the access token.
func Login(t testing.TB, base, user, pass string) string {
	t.Helper()
	resp, err := http.PostForm(base+"/token", url.Values{"username": {user}, "password": {pass}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	var out struct {
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(b, &out) != nil || out.AccessToken == "" {
		t.Fatalf("login: %s %s", resp.Status, b)
	}
	return out.AccessToken
}

// Call sends a JSON request and returns status and body.
func (s *Server) Call(token, method, path, body string) (int, string) {
	s.T.Helper()
	resp := s.Send(token, method, path, "application/json", strings.NewReader(body))
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// Must is Call for requests that must answer with the given status.
func (s *Server) Must(status int, token, method, path, body string) string {
	s.T.Helper()
	code, text := s.Call(token, method, path, body)
	if code != status {
		s.T.Fatalf("%s %s: status %d, want %d: %s", method, path, code, status, text)
	}
	return text
}

// Send sends a request and returns the answer with its body open.
func (s *Server) Send(token, method, path, contentType string, body io.Reader) *http.Response {
	s.T.Helper()
	req, err := http.NewRequest(method, s.URL()+path, body)
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	return resp
}

// Deploy deploys a pipeline file through Hayhooks' door.
func (s *Server) Deploy(token, name, source string) {
	s.T.Helper()
	b, err := json.Marshal(map[string]any{"name": name, "source_code": source, "overwrite": true})
	if err != nil {
		s.T.Fatal(err)
	}
	s.Must(200, token, http.MethodPost, "/deploy-yaml", string(b))
}

// ModuleRoot returns the folder of go.mod above the test.
func ModuleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
