package source

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/sealed"
)

// Env reads environment variables, those it was told of. A key becomes the name of a variable: upper case, underscores for
// dashes, PREFIX_ in front; with the prefix "myapp" the key "db-host" is MYAPP_DB_HOST.
//
// With a prefix, which is the program's own choice of a name space, every variable under it may be read, unless
// [WithAllow] names those that may. Without a prefix only what WithAllow names: the documented API reads the whole
// environment then, and hands whoever names a key the keys of the server itself (decision 8). Variables that the server,
// its drivers and its SDKs use are never read.
type Env struct {
	o      options
	prefix string
	hub    *Hub
}

// WithAllow names the variables that an [Env] may read, as they stand in the environment.
func WithAllow(names ...string) Option {
	return func(o *options) { o.allow = append(slices.Clone(o.allow), names...) }
}

// NewEnv returns a source named "env".
func NewEnv(prefix string, opts ...Option) *Env {
	e := &Env{o: read("env", opts)}
	if prefix = variable(prefix); prefix != "" {
		e.prefix = strings.TrimSuffix(prefix, "_") + "_"
	}
	e.hub = newHub(e.o, e.Get, 0)
	return e
}

// variable normalises a key or a prefix.
func variable(key string) string { return strings.ToUpper(strings.ReplaceAll(key, "-", "_")) }

// reserved names belong to the server's operator.
func reserved(name string) bool {
	for _, prefix := range [...]string{"HAYWARD_", "PG", "AWS_", "GOOGLE_", "VAULT_", "BAO_", "AZURE_", "LD_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "PATH", "HOME", "SHELL", "SSH_AUTH_SOCK"}, name)
}

// allowed says whether a variable may be read at all.
func (e *Env) allowed(name string) bool {
	switch {
	case reserved(name) || !isVariable(name) || !strings.HasPrefix(name, e.prefix):
		return false
	case len(e.o.allow) > 0:
		return slices.Contains(e.o.allow, name)
	}
	return e.prefix != ""
}

func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// Name returns "env", or the name it was given.
func (e *Env) Name() string { return e.o.name }

// Get returns a variable. One that is not set, is empty or may not be read is not there.
func (e *Env) Get(ctx context.Context, key string) (*Value, error) {
	if err := e.open(ctx, key); err != nil {
		return nil, err
	}
	name := e.prefix + variable(key)
	if !e.allowed(name) {
		return nil, missing(e.o.name, key)
	}
	raw := os.Getenv(name)
	if raw == "" {
		return nil, missing(e.o.name, key)
	}
	if int64(len(raw)) > e.o.maxSize {
		return nil, tooLarge(e.o.name, key, e.o.maxSize)
	}
	return &Value{Key: key, Raw: sealed.NewString(raw), Source: e.o.name}, nil
}

func (e *Env) open(ctx context.Context, key string) error {
	if err := e.hub.Closed(); err != nil {
		return err
	}
	if err := alive(ctx, e.o.name); err != nil {
		return err
	}
	return checkKey(key)
}

// List returns nothing, as documented: an environment is not enumerated.
func (e *Env) List(ctx context.Context, prefix string) ([]*Value, error) {
	return nil, e.open(ctx, "x"+prefix)
}

// Watch never calls fn: the environment of a process does not change.
func (e *Env) Watch(ctx context.Context, key string, _ WatchFunc) error { return e.open(ctx, key) }

// Close closes the source.
func (e *Env) Close() error {
	e.hub.Close()
	return nil
}
