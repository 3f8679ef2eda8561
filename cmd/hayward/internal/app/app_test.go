package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/keyring"
)

func TestAServerThatCannotStartSaysWhatToDo(t *testing.T) {
	s := apptest.Start(t, nil)
	dir := filepath.Dir(s.Dir)
	root := keyring.FileRoot(filepath.Join(dir, "root.key"))
	other := t.TempDir()
	for _, tc := range []struct {
		name string
		set  app.Settings
		kind fault.Kind
		want string
	}{
		{"no data directory", app.Settings{Root: root}, fault.Invalid, "data directory"},
		{"a directory in use", app.Settings{DataDir: s.Dir, Root: root}, fault.Conflict, "in use by process"},
		{"a busy port", app.Settings{DataDir: filepath.Join(other, "a"), Root: keyring.FileRoot(filepath.Join(other, "k1")),
			Listen: strings.TrimPrefix(s.URL(), "http://")}, fault.Unavailable, "cannot listen on"},
		{"plain text off loopback", app.Settings{DataDir: filepath.Join(other, "b"), Root: keyring.FileRoot(filepath.Join(other, "k2")),
			Listen: "0.0.0.0:0"}, fault.Invalid, "without TLS"},
		{"a bad egress entry", app.Settings{DataDir: filepath.Join(other, "c"), Root: keyring.FileRoot(filepath.Join(other, "k3")),
			Listen: "127.0.0.1:0", EgressAllow: []string{"http://x/"}}, fault.Invalid, "egress"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := app.Open(t.Context(), tc.set)
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v (%v)", err, fault.KindOf(err))
			}
			if f := fault.From(err); f.Hint == "" && tc.name != "a directory in use" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

func TestALostRootKeyIsNoticedBeforeAnythingIsServed(t *testing.T) {
	dir := t.TempDir()
	s := apptest.StartIn(t, dir, nil)
	s.Stop()
	if err := os.Remove(filepath.Join(dir, "root.key")); err != nil {
		t.Fatal(err)
	}
	_, err := app.Open(t.Context(), app.Settings{DataDir: filepath.Join(dir, "data"), Root: keyring.FileRoot(filepath.Join(dir, "root.key")), Listen: "127.0.0.1:0"})
	if err == nil || fault.From(err).Hint == "" {
		t.Fatalf("got %v", err)
	}
	if _, statErr := os.Stat(filepath.Join(dir, "root.key")); statErr == nil {
		t.Fatal("a new root key was made for old data")
	}
}
