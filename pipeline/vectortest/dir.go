package vectortest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/pipeline/value"
)

// Dir returns the folder of the vectors: HAYWARD_VECTORS, or ../shared/vectors beside the module. It is an error when
// there is no such folder.
func Dir() (string, error) {
	dir := os.Getenv("HAYWARD_VECTORS")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "..", "shared", "vectors")
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("no vectors at %s; set HAYWARD_VECTORS to their folder", dir)
	}
	return dir, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = up
	}
}

// Need returns [Dir], or skips the test and says which part is missing.
func Need(t testing.TB) string {
	t.Helper()
	dir, err := Dir()
	if err != nil {
		t.Skipf("part missing: %v", err)
	}
	return dir
}

// File returns the content of a vector file; see [Need].
func File(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Need(t), name))
	if err != nil {
		t.Fatalf("vectors: %v", err)
	}
	return data
}

// Load returns the JSON of a vector file, with the notation still in it.
func Load(t testing.TB, name string) value.Value {
	t.Helper()
	v, err := value.FromJSON(File(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// LoadLines returns the JSON of each line of a vector file, with the notation still in it. A file without a line fails.
func LoadLines(t testing.TB, name string) []*value.Dict {
	t.Helper()
	var out []*value.Dict
	for i, line := range bytes.Split(File(t, name), []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		v, err := value.FromJSON(line)
		if err != nil {
			t.Fatalf("%s:%d: %v", name, i+1, err)
		}
		d, ok := v.(*value.Dict)
		if !ok {
			t.Fatalf("%s:%d: not an object", name, i+1)
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		t.Fatalf("%s holds no case", name)
	}
	return out
}
