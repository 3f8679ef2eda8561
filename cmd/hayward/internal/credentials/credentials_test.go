package credentials_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/cmd/hayward/internal/credentials"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

const one, two = "http://127.0.0.1:1416", "https://hayward.example.com"

func open(t *testing.T) *credentials.Store {
	t.Helper()
	s, err := credentials.Open(filepath.Join(t.TempDir(), "config", "hayward", "credentials.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func login(token string) credentials.Login {
	return credentials.Login{Token: sealed.NewString(token), User: "ann", Tenant: "acme", Expires: time.Unix(1_800_000_000, 0).UTC()}
}

func TestALoginIsKeptPerServer(t *testing.T) {
	s := open(t)
	if _, ok, err := s.Get(one); ok || err != nil {
		t.Fatal(ok, err)
	}
	for server, token := range map[string]string{one: "first", two: "second"} {
		if err := s.Put(server, login(token)); err != nil {
			t.Fatal(err)
		}
	}
	got, ok, err := s.Get(one)
	if err != nil || !ok || string(reveal.Inside(got.Token)) != "first" || got.User != "ann" || got.Tenant != "acme" || !got.Expires.Equal(login("").Expires) {
		t.Fatal(got, ok, err)
	}
	if err := s.Put(two, login("third")); err != nil {
		t.Fatal(err)
	}
	if last, err := s.Last(); last != two || err != nil {
		t.Fatal(last, err)
	}
	if err := s.Delete(two); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := s.Get(two); ok {
		t.Error("a deleted login is there")
	}
	if last, _ := s.Last(); last != "" {
		t.Error("the last login is one that was deleted")
	}
	if _, ok, _ := s.Get(one); !ok {
		t.Error("the other login went with it")
	}
}

func TestOnlyTheOwnerReadsTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // permissions there are not modes
	}
	s := open(t)
	if err := s.Put(one, login("first")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(s.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if err := os.Chmod(s.Path(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(one); !fault.Is(err, fault.Denied) {
		t.Errorf("others can read it, and yet: %v", err)
	}
	if err := s.Put(one, login("second")); !fault.Is(err, fault.Denied) {
		t.Errorf("others can read it, and yet: %v", err)
	}
}

func TestADamagedFileIsNotQuoted(t *testing.T) {
	s := open(t)
	if err := s.Put(one, login("first")); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"servers": {"x": {"token": 5, "user": "sk-must-not-show"}}}`, `sk-must-not-show`, ``, `{"servers": null}`} {
		if err := os.WriteFile(s.Path(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.Get(one)
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error()+fault.From(err).Hint, "must-not-show") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNothingIsLeftBesideTheFile(t *testing.T) {
	s := open(t)
	for range 3 {
		if err := s.Put(one, login("first")); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(s.Path())); err != nil || len(entries) != 1 {
		t.Error(entries, err)
	}
}
