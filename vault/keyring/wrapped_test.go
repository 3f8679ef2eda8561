package keyring_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// fakeKMS wraps by writing down what it was given, backwards.
type fakeKMS struct {
	name  string
	calls int
	fail  error
}

func (k *fakeKMS) Name() string { return k.name }

func (k *fakeKMS) Wrap(_ context.Context, plaintext []byte, aad string) ([]byte, error) {
	k.calls++
	return append([]byte(k.name+"|"+aad+"|"), backwards(plaintext)...), k.fail
}

func (k *fakeKMS) Unwrap(_ context.Context, wrapped []byte, aad string) ([]byte, error) {
	k.calls++
	ct, ok := bytes.CutPrefix(wrapped, []byte(k.name+"|"+aad+"|"))
	if !ok {
		return nil, errors.New("another key or another context")
	}
	return backwards(ct), k.fail
}

func backwards(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := range b {
		out = append(out, b[len(b)-1-i])
	}
	return out
}

func TestAServiceIsAskedOnceAtTheStart(t *testing.T) {
	kms, path := &fakeKMS{name: "kms:1"}, keyPath(t, nil)
	w := newWorld(t, keyring.WrappedRoot(path, kms, nil), 20)
	kms.calls = 0
	r := mustOpen(t, w.st, keyring.WrappedRoot(path, kms, nil))
	if err := w.whole(r); err != nil || kms.calls != 1 {
		t.Errorf("%d calls, %v", kms.calls, err)
	}
	if where, _ := r.Origin(); !strings.Contains(where, "kms:1") || !strings.Contains(where, path) {
		t.Errorf("%s", where)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

func TestAWrappedRootKeyThatDoesNotOpen(t *testing.T) {
	path := keyPath(t, nil)
	if _, err := keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil).Root(t.Context(), false); !errors.Is(err, base.ErrNoRootKey) {
		t.Errorf("missing: %v", err)
	}
	if _, err := keyring.WrappedRoot(path, &fakeKMS{name: "kms:1", fail: errors.New("down")}, nil).Root(t.Context(), true); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the service is down: %v", err)
	}
	if got := files(t, path); got != "" {
		t.Errorf("and yet there is %s", got)
	}
	root, err := keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil).Root(t.Context(), true)
	if err != nil || !root.Created {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, root.Bytes()) {
		t.Fatal("the key is in the file")
	}
	for name, tc := range map[string]struct {
		old, new string
		kms      *fakeKMS
		kind     fault.Kind
	}{
		"another service": {"", "", &fakeKMS{name: "kms:2"}, fault.Unavailable},
		"refused":         {"", "", &fakeKMS{name: "kms:1", fail: fault.New(fault.Denied, "no")}, fault.Denied},
		"another id":      {`"root": "root_`, `"root": "root_0`, &fakeKMS{name: "kms:1"}, fault.Unavailable},
		"another format":  {"-root/1", "-root/2", &fakeKMS{name: "kms:1"}, fault.Invalid},
		"unknown field":   {`"root":`, `"x": 1, "root":`, &fakeKMS{name: "kms:1"}, fault.Invalid},
		"two values":      {"}\n", "}{}\n", &fakeKMS{name: "kms:1"}, fault.Invalid},
	} {
		if err := os.WriteFile(path, bytes.Replace(text, []byte(tc.old), []byte(tc.new), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.WrappedRoot(path, tc.kms, nil).Root(t.Context(), true); !fault.Is(err, tc.kind) || fault.From(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil).Root(t.Context(), true); !fault.Is(err, fault.Invalid) {
		t.Errorf("others can read it: %v", err)
	}
	if _, err := keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil, t.TempDir(), path+"/..").Root(t.Context(), true); err == nil ||
		!strings.Contains(err.Error(), "inside the data directory") {
		t.Errorf("inside the data: %v", err)
	}
}

// A start must not make a new key where data needs the old one.
func TestALostWrappedKeyIsNotReplaced(t *testing.T) {
	path, st := keyPath(t, nil), memory.New()
	p := keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil)
	mustOpen(t, st, p)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(t.Context(), st, p); !errors.Is(err, base.ErrNoRootKey) || files(t, path) != "" {
		t.Errorf("%v", err)
	}
}

func FuzzParseWrapped(f *testing.F) {
	f.Add([]byte(`{"format":"hayward-wrapped-root/1","kms":"k","root":"root_1","wrapped":"AAAA"}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if kms, root, err := keyring.ParseWrapped(text); err == nil && (kms == "" || root == "") {
			t.Fatalf("%q is taken for a wrapped key", text)
		}
	})
}
