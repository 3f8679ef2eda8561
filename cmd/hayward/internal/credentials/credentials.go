package credentials

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Login is one login.
type Login struct {
	Token   sealed.Value
	User    string
	Tenant  string // slug; "" for an operator
	Expires time.Time
}

// Store is the file.
type Store struct{ path string }

// Open returns the store at a path; "" is hayward/credentials.json in the user's configuration directory.
func Open(path string) (*Store, error) {
	if path == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "there is no home directory to keep logins in").WithHint("set HAYWARD_TOKEN instead of logging in")
		}
		path = filepath.Join(base, "hayward", "credentials.json")
	}
	return &Store{path}, nil
}

// Path returns where the file is.
func (s *Store) Path() string { return s.path }

// file is the file's shape.
type file struct {
	Last    string           `json:"last,omitempty"` // the server of the last login
	Servers map[string]entry `json:"servers"`
}

type entry struct {
	Token   string    `json:"token"`
	User    string    `json:"user"`
	Tenant  string    `json:"tenant,omitempty"`
	Expires time.Time `json:"expires"`
}

// Get returns the login at a server; ok is false if there is none.
func (s *Store) Get(server string) (login Login, ok bool, err error) {
	f, err := s.read()
	if err != nil {
		return Login{}, false, err
	}
	e, ok := f.Servers[server]
	if !ok {
		return Login{}, false, nil
	}
	return Login{Token: sealed.NewString(e.Token), User: e.User, Tenant: e.Tenant, Expires: e.Expires}, true, nil
}

// Last returns the server of the last login; "" if there is none.
func (s *Store) Last() (string, error) {
	f, err := s.read()
	return f.Last, err
}

// Put keeps a login.
func (s *Store) Put(server string, l Login) error {
	f, err := s.read()
	if err != nil {
		return err
	}
	token := reveal.Inside(l.Token)
	defer clear(token)
	f.Last = server
	f.Servers[server] = entry{Token: string(token), User: l.User, Tenant: l.Tenant, Expires: l.Expires.UTC()}
	return s.write(f)
}

// Delete forgets the login at a server.
func (s *Store) Delete(server string) error {
	f, err := s.read()
	if err != nil {
		return err
	}
	delete(f.Servers, server)
	if f.Last == server {
		f.Last = ""
	}
	return s.write(f)
}

func (s *Store) read() (file, error) {
	empty := file{Servers: map[string]entry{}}
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, fault.Wrap(fault.Unavailable, err, "the file of logins cannot be read")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return empty, fault.New(fault.Denied, "the file of logins %s has mode %04o: others can read it", s.path, info.Mode().Perm()).
			WithHint("chmod 600 it, and log in again if others use this machine")
	}
	b, err := os.ReadFile(s.path)
	if err != nil {
		return empty, fault.Wrap(fault.Unavailable, err, "the file of logins cannot be read")
	}
	defer clear(b)
	f := empty
	if json.Unmarshal(b, &f) != nil || f.Servers == nil { // the error could quote a token
		return empty, fault.New(fault.Invalid, "the file of logins %s is damaged", s.path).WithHint("delete it and log in again")
	}
	return f, nil
}

// write replaces the file as a whole, so that two commands at once leave one of the two and never a mixture.
func (s *Store) write(f file) error {
	failed := func(err error) error { return fault.Wrap(fault.Unavailable, err, "the login cannot be kept") }
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fault.New(fault.Internal, "the login cannot be encoded")
	}
	defer clear(b)
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return failed(err)
	}
	t, err := os.CreateTemp(dir, "credentials-*") // mode 0600
	if err != nil {
		return failed(err)
	}
	defer os.Remove(t.Name())
	_, err = t.Write(append(b, '\n'))
	if err := errors.Join(err, t.Close()); err != nil {
		return failed(err)
	}
	if err := os.Rename(t.Name(), s.path); err != nil {
		return failed(err)
	}
	return nil
}
