package demo

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/devllm"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

const (
	markerFile    = "hayward-demo.json"
	passwordsFile = "passwords"
	sumsFile      = "devllm.sums"
	logFile       = "devllm.log"
)

// directory is a demo directory.
type directory struct {
	path  string
	state state
}

// state is the marker file.
type state struct {
	Demo string   `json:"demo"` // what this file is, for people
	Done []string `json:"done"` // steps
}

const whatItIs = "made by 'hayward demo'; 'hayward demo --reset' deletes this directory"

func (d *directory) join(parts ...string) string {
	return filepath.Join(append([]string{d.path}, parts...)...)
}

// openDirectory makes or opens a demo directory, and refuses any other.
func openDirectory(path string) (*directory, error) {
	d := &directory{path: path}
	b, err := os.ReadFile(d.join(markerFile))
	switch {
	case err == nil:
		if json.Unmarshal(b, &d.state) != nil || d.state.Demo == "" {
			return nil, fault.New(fault.Invalid, "%s is damaged", d.join(markerFile)).WithHint("delete the directory by hand if nothing else is in it")
		}
		return d, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(fault.Unavailable, err, "the demo's directory cannot be read")
	}
	if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 {
		return nil, fault.New(fault.Conflict, "%s is not empty, and no demo made it", path).WithHint("name a directory of its own with --data-dir")
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the demo's directory cannot be made")
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the demo's directory cannot be closed to others")
	}
	d.state.Demo = whatItIs
	return d, d.save()
}

func (d *directory) save() error {
	b, err := json.MarshalIndent(d.state, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(d.join(markerFile), append(b, '\n'))
}

// writeFile replaces a file of mode 0600 as a whole.
func writeFile(path string, b []byte) error {
	next := path + ".new"
	err := os.WriteFile(next, b, 0o600)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the demo cannot write %s", path)
	}
	return nil
}

// step does something unless it was done before.
func (d *directory) step(name string, do func() error) error {
	if slices.Contains(d.state.Done, name) {
		return nil
	}
	if err := do(); err != nil {
		return err
	}
	d.state.Done = append(d.state.Done, name)
	return d.save()
}

// passwords returns the users' passwords, made on the first start. The file is written before any user is created: a
// user whose password nobody knows would be in the way.
func (d *directory) passwords() (map[string]sealed.Value, error) {
	out := map[string]sealed.Value{}
	b, err := os.ReadFile(d.join(passwordsFile))
	defer clear(b)
	if errors.Is(err, fs.ErrNotExist) && len(d.state.Done) == 0 {
		var text bytes.Buffer
		for _, u := range users() {
			fmt.Fprintf(&text, "%s %s\n", u.name, rand.Text())
		}
		b, err = text.Bytes(), writeFile(d.join(passwordsFile), text.Bytes())
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the demo's passwords cannot be read").WithHint("forget the demo with --reset and start again")
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		if name, password, ok := strings.Cut(lines.Text(), " "); ok {
			out[name] = sealed.NewString(password)
		}
	}
	for _, u := range users() {
		if out[u.name].IsZero() {
			return nil, fault.New(fault.Invalid, "%s holds no password of %s", d.join(passwordsFile), u.name).WithHint("forget the demo with --reset and start again")
		}
	}
	return out, nil
}

// newKey makes an API key and remembers its sum.
func (d *directory) newKey() (sealed.Value, devllm.Sum, error) {
	key := sealed.NewString("sk-demo-" + rand.Text())
	sum := devllm.SumOf(key)
	f, err := os.OpenFile(d.join(sumsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(sum.String() + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return key, sum, fault.Wrap(fault.Unavailable, err, "the demo cannot remember a key's sum")
	}
	return key, sum, nil
}

func (d *directory) sums() ([]devllm.Sum, error) {
	b, err := os.ReadFile(d.join(sumsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the demo's key sums cannot be read")
	}
	var out []devllm.Sum
	for line := range strings.Lines(string(b)) {
		sum, err := devllm.ParseSum(strings.TrimSpace(line))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s is damaged", d.join(sumsFile)).WithHint("forget the demo with --reset and start again")
		}
		out = append(out, sum)
	}
	return out, nil
}

// Reset deletes a demo directory, after making sure that it is one and that nobody uses it. gone is false if there was none.
// Of a symbolic link both ends go: to forget means the data, not the way to it.
func Reset(named string) (gone bool, err error) {
	path, err := filepath.EvalSymlinks(named)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrap(fault.Unavailable, err, "the demo's directory cannot be looked at")
	}
	if _, err := os.Stat(filepath.Join(path, markerFile)); err != nil {
		return false, fault.New(fault.Conflict, "%s was not made by the demo, so nothing was deleted", path)
	}
	data := filepath.Join(path, "data")
	if _, err := os.Stat(data); err == nil {
		lock, err := db.LockDir(data)
		if err != nil {
			return false, err
		}
		defer lock.Unlock()
	}
	if err := errors.Join(os.RemoveAll(path), os.RemoveAll(named)); err != nil {
		return false, fault.Wrap(fault.Unavailable, err, "the demo's directory cannot be deleted")
	}
	return true, nil
}

// show writes the passwords for the one time that they are shown.
func show(passwords map[string]sealed.Value, line func(string)) {
	for _, u := range users() {
		raw := reveal.Inside(passwords[u.name])
		line(fmt.Sprintf("  %-10s %s", u.name, raw))
		clear(raw)
	}
}

// Layout returns where a demo directory keeps its data and its root key; ok is false for any other directory.
func Layout(path string) (data, rootKey string, ok bool) {
	if _, err := os.Stat(filepath.Join(path, markerFile)); err != nil {
		return "", "", false
	}
	return filepath.Join(path, "data"), filepath.Join(path, "keys", "root.key"), true
}
