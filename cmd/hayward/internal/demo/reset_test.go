package demo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/fault"
)

func TestResetForgetsTheDataBehindALink(t *testing.T) {
	at := t.TempDir()
	real, link := filepath.Join(at, "real"), filepath.Join(at, "link")
	if err := errors.Join(os.Mkdir(real, 0o700), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	if gone, err := Reset(link); gone || !fault.Is(err, fault.Conflict) {
		t.Errorf("what no demo made: %v, %v", gone, err)
	}
	if err := os.WriteFile(filepath.Join(real, markerFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if gone, err := Reset(link); !gone || err != nil {
		t.Errorf("%v, %v", gone, err)
	}
	for _, path := range []string{real, link} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	if gone, err := Reset(link); gone || err != nil {
		t.Errorf("nothing there: %v, %v", gone, err)
	}
}
