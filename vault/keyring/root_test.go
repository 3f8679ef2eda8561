package keyring_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/memory"
)

var raw = []byte("0123456789abcdef\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4\xf3\xf2\xf1\xf0")

func TestTheVariable(t *testing.T) {
	t.Setenv("HAYWARD_ROOT_KEY", "")
	if _, err := keyring.EnvRoot("").Root(t.Context(), true); !errors.Is(err, base.ErrNoRootKey) {
		t.Errorf("unset: %v", err)
	}
	for name, text := range map[string]string{
		"hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw)), "base64": base64.StdEncoding.EncodeToString(raw),
		"unpadded": base64.RawStdEncoding.EncodeToString(raw), "url": base64.URLEncoding.EncodeToString(raw), "spaces": "  " + hex.EncodeToString(raw) + "\n",
	} {
		t.Setenv("HAYWARD_ROOT_KEY", text)
		r, err := keyring.EnvRoot("").Root(t.Context(), false)
		if err != nil || !bytes.Equal(r.Bytes(), raw) || r.Created {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"a password": "super-secret-password", "31 bytes": hex.EncodeToString(raw[:31]), "33 bytes": base64.StdEncoding.EncodeToString(append(raw[:32:32], 1)),
		"raw": string(raw), "loose": base64.RawStdEncoding.EncodeToString(raw)[:42] + "9",
	} {
		t.Setenv("HAYWARD_ROOT_KEY", text)
		_, err := keyring.EnvRoot("").Root(t.Context(), false)
		if !errors.Is(err, base.ErrInvalidKey) || strings.Contains(err.Error()+fault.From(err).Hint, text[:5]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("OTHER", hex.EncodeToString(raw))
	if r, err := keyring.ChooseRoot("OTHER", "/nowhere/key").Root(t.Context(), false); err != nil || !strings.Contains(r.Origin, "OTHER") {
		t.Errorf("the variable is set, and yet: %v", err)
	}
}

func TestTheFileIsMadeOnceAndReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config", "hayward", "root.key")
	if _, err := keyring.FileRoot(path).Root(t.Context(), false); !errors.Is(err, base.ErrNoRootKey) || !strings.Contains(err.Error(), path) {
		t.Errorf("missing, and not to be made: %v", err)
	}
	t.Setenv("UNSET", "")
	first, err := keyring.ChooseRoot("UNSET", path).Root(t.Context(), true)
	if err != nil || !first.Created || !strings.Contains(first.Origin, path) {
		t.Fatal(first, err)
	}
	again, err := keyring.FileRoot(path).Root(t.Context(), true)
	if err != nil || again.Created || again.ID() != first.ID() || !bytes.Equal(again.Bytes(), first.Bytes()) {
		t.Fatal(again, err)
	}
	info, err := os.Stat(path)
	if err != nil || (runtime.GOOS != "windows" && info.Mode().Perm() != 0o600) {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.FileRoot(path).Root(t.Context(), false); !errors.Is(err, base.ErrNoRootKey) {
		t.Errorf("empty beside data: %v", err)
	}
	if r, err := keyring.FileRoot(path).Root(t.Context(), true); err != nil || !r.Created {
		t.Errorf("empty after a crash of the first start: %v", err)
	}
}

func TestTheFileIsCheckedEachTime(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, path string)
		says   string
	}{
		{"others can read", func(t *testing.T, path string) { chmod(t, path, 0o644) }, "0644"},
		{"the group can read", func(t *testing.T, path string) { chmod(t, path, 0o640) }, "0640"},
		{"a symbolic link", func(t *testing.T, path string) {
			rename(t, path, path+".real")
			if err := os.Symlink(path+".real", path); err != nil {
				t.Fatal(err)
			}
		}, "cannot open"},
		{"another user's", func(t *testing.T, path string) {
			if os.Geteuid() != 0 {
				t.Skip("part missing: only root can give a file away")
			}
			if err := os.Chown(path, 4242, -1); err != nil {
				t.Fatal(err)
			}
		}, "belongs to another user"},
		{"a directory", func(t *testing.T, path string) {
			rename(t, path, path+".old")
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a plain file"},
		{"a password", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("hunter2"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "32 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("part missing: modes and links say nothing here")
			}
			path := filepath.Join(t.TempDir(), "root.key")
			if _, err := keyring.FileRoot(path).Root(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			tc.change(t, path)
			for _, create := range []bool{false, true} {
				_, err := keyring.FileRoot(path).Root(t.Context(), create)
				if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("create %v: %v", create, err)
				}
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestTheFileLiesOutsideTheData(t *testing.T) {
	data := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(data, "root.key"), filepath.Join(data, "deep", "er", "root.key"), filepath.Join(link, "root.key"), data,
		filepath.Join(data, "..", filepath.Base(data), "root.key")} {
		if _, err := keyring.FileRoot(path, data).Root(t.Context(), true); err == nil || !strings.Contains(err.Error(), "inside the data directory") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := keyring.FileRoot(data+"-key", data).Root(t.Context(), true); err != nil {
		t.Errorf("a neighbour whose name begins alike: %v", err)
	}
}

// The first start makes the key; a later one must not make another in its place.
func TestALostKeyIsNotReplaced(t *testing.T) {
	st := memory.New()
	path := filepath.Join(t.TempDir(), "root.key")
	r, err := keyring.Open(t.Context(), st, keyring.FileRoot(path))
	if err != nil {
		t.Fatal(err)
	}
	if where, created := r.Origin(); !created || !strings.Contains(where, path) {
		t.Errorf("%s %v", where, created)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = keyring.Open(t.Context(), st, keyring.FileRoot(path))
	if !errors.Is(err, base.ErrNoRootKey) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), r.RootID()) ||
		!strings.Contains(fault.From(err).Hint, "backup") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new key was made: %v", err)
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(hex.EncodeToString(raw))
	f.Add(base64.StdEncoding.EncodeToString(raw))
	f.Fuzz(func(t *testing.T, s string) {
		key, err := keyring.ParseKey(s)
		if err == nil && len(key) != keyring.KeySize {
			t.Fatalf("%d bytes", len(key))
		}
		if err != nil && len(s) > 12 && strings.Contains(err.Error(), s) {
			t.Fatal("the error quotes the text")
		}
	})
}
