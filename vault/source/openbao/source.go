package openbao

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source"
)

// Source reads a KV engine of version 2. Make one with [New]. It is safe for concurrent use.
type Source struct {
	o       Options
	w       *wire
	session *session
	hub     *source.Hub
}

// New returns a source. It asks the server nothing yet: one that is away now may be there when a value is needed.
func New(o Options) (*Source, error) {
	w, session, o, err := dial(o)
	if err != nil {
		return nil, err
	}
	s := &Source{o: o, w: w, session: session}
	s.hub = source.NewHub(o.Name, s.Get, o.PollInterval,
		source.WithName(o.Name), source.WithMaxWatchers(o.MaxWatchers), source.WithLogger(o.Logger))
	return s, nil
}

// dial makes what sends and what logs in.
func dial(o Options) (*wire, *session, Options, error) {
	o, dest, err := o.withDefaults()
	if err != nil {
		return nil, nil, o, err
	}
	if err := o.Auth.check(); err != nil {
		return nil, nil, o, err
	}
	switch r := o.Auth.(type) {
	case AppRole:
		r.unwrapped = &unwrapped{}
		o.Auth = r
	case *AppRole:
		own := *r
		own.unwrapped = &unwrapped{}
		o.Auth = own
	case *Token:
		o.Auth = *r
	}
	w := &wire{o, dest}
	return w, newSession(w, o.Auth), o, nil
}

// Name returns "openbao", or the name it was given.
func (s *Source) Name() string { return s.o.Name }

// kvRead is the data of an answer to reading a secret.
type kvRead struct {
	Data     map[string]json.RawMessage `json:"data"`
	Metadata struct {
		DeletionTime string            `json:"deletion_time"`
		Destroyed    bool              `json:"destroyed"`
		Version      int64             `json:"version"`
		Custom       map[string]string `json:"custom_metadata"`
	} `json:"metadata"`
}

// Get reads one field of the current version of a secret, see the package comment for keys. The version is the engine's, the
// metadata its custom metadata.
func (s *Source) Get(ctx context.Context, key string) (*source.Value, error) {
	path, field, err := s.key(ctx, key)
	if err != nil {
		return nil, err
	}
	r := request{method: "GET", path: escape(s.o.Mount) + "/data/" + escape(path)}
	a, err := s.session.do(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case a.status == 404 && len(a.Errors) == 0:
		return nil, s.missing(key)
	case a.status != 200:
		return nil, s.unmounted(a, r)
	}
	return s.value(key, field, a.Data)
}

func (s *Source) key(ctx context.Context, key string) (path, field string, err error) {
	if err := s.hub.Closed(); err != nil {
		return "", "", err
	}
	if ctx.Err() != nil {
		return "", "", s.w.unreached(ctx, ctx.Err())
	}
	if err := source.CheckKey(key); err != nil {
		return "", "", err
	}
	if path, field, err = source.SplitField(key); err != nil {
		return "", "", err
	}
	if field == "" {
		field = s.o.Field
	}
	path, err = checkPath("key", path)
	return path, field, err
}

func (s *Source) missing(key string) error {
	return fault.Wrap(fault.NotFound, source.ErrKeyNotFound, "the source %s has no key %q", s.o.Name, key).WithCode("KeyNotFound")
}

// unmounted tells a mount or namespace that is not there, which the server says in words, from a key that is not there, which
// it answers with an empty list of errors: a wrong setting must not look like a missing key.
func (s *Source) unmounted(a *answer, r request) error {
	if a.status != 404 {
		return s.w.refused(a, r)
	}
	return fault.New(fault.Failed, "%s has no KV engine at the mount %s", s.w.dest, s.o.Mount).
		WithHint("check the mount and the namespace of the source %s", s.o.Name)
}

func (s *Source) value(key, field string, data json.RawMessage) (*source.Value, error) {
	var kv kvRead
	if json.Unmarshal(data, &kv) != nil || kv.Metadata.Version == 0 {
		return nil, fault.New(fault.Failed, "the answer of %s is not that of a KV engine of version 2", s.w.dest).
			WithHint("the mount %s may be of version 1; enable versions there, or name another mount", s.o.Mount)
	}
	raw, found := source.Field(kv.Data, field)
	if kv.Metadata.Destroyed || kv.Data == nil {
		return nil, s.missing(key)
	}
	if !found {
		e := fault.From(s.missing(key))
		return nil, e.WithHint("the secret is there, but has no field %q; name one as path#field", field)
	}
	defer clear(raw)
	if int64(len(raw)) > s.o.MaxSize {
		return nil, fault.New(fault.TooLarge, "the value of %q in the source %s has more than %d bytes", key, s.o.Name, s.o.MaxSize)
	}
	v := &source.Value{Key: key, Raw: sealed.New(raw), Source: s.o.Name, Version: kv.Metadata.Version, Metadata: kv.Metadata.Custom}
	if kv.Metadata.DeletionTime != "" {
		at, err := time.Parse(time.RFC3339Nano, kv.Metadata.DeletionTime)
		if err != nil {
			return nil, fault.New(fault.Failed, "%s gives a deletion time that is none", s.w.dest)
		}
		if !time.Now().Before(at) {
			return nil, s.missing(key)
		}
		v.ExpiresAt = &at
	}
	return v, nil
}

// List reads the secrets whose paths begin with prefix, folders below included, each with the default field; those that lack
// it are left out. A folder that may not be listed is an error.
func (s *Source) List(ctx context.Context, prefix string) ([]*source.Value, error) {
	if _, _, err := s.key(ctx, "x"+strings.TrimSuffix(prefix, "/")); err != nil || strings.Contains(prefix, "#") || strings.HasPrefix(prefix, "/") {
		if err == nil {
			err = fault.New(fault.Invalid, "the prefix of a list of the source %s holds no field and does not begin with a slash", s.o.Name)
		}
		return nil, err
	}
	folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
	keys, err := s.walk(ctx, folder, prefix, s.o.MaxList)
	if err != nil {
		return nil, err
	}
	slices.Sort(keys)
	out := []*source.Value{}
	for _, key := range keys {
		v, err := s.Get(ctx, key)
		if errors.Is(err, source.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// walk lists folders without recursion, so that depth costs nothing.
func (s *Source) walk(ctx context.Context, folder, prefix string, most int) (keys []string, err error) {
	seen := 0
	for folders := []string{folder}; len(folders) > 0; {
		folder, folders = folders[0], folders[1:]
		names, err := s.folder(ctx, folder)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if seen++; seen > most {
				return nil, fault.New(fault.TooLarge, "the source %s has more than %d keys below %q", s.o.Name, most, prefix).
					WithHint("ask for keys by name, or list a folder further down")
			}
			full := folder + name
			isFolder := strings.HasSuffix(name, "/")
			switch {
			case isFolder && (strings.HasPrefix(full, prefix) || strings.HasPrefix(prefix, full)):
				folders = append(folders, full)
			case !isFolder && strings.HasPrefix(full, prefix) && !strings.Contains(name, "#"):
				keys = append(keys, full)
			}
		}
	}
	return keys, nil
}

func (s *Source) folder(ctx context.Context, folder string) ([]string, error) {
	path := escape(s.o.Mount) + "/metadata"
	if folder = strings.TrimSuffix(folder, "/"); folder != "" {
		path += "/" + escape(folder)
	}
	r := request{method: "GET", path: path + "?list=true"}
	a, err := s.session.do(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case a.status == 404 && len(a.Errors) == 0:
		return nil, nil
	case a.status != 200:
		return nil, s.unmounted(a, r)
	}
	var data struct {
		Keys []string `json:"keys"`
	}
	if json.Unmarshal(a.Data, &data) != nil {
		return nil, fault.New(fault.Failed, "the list that %s gives is none", s.w.dest)
	}
	return data.Keys, nil
}

// Watch has fn called when a key changes; the server is asked every PollInterval. See source.Source.
func (s *Source) Watch(ctx context.Context, key string, fn source.WatchFunc) error {
	return s.hub.Watch(ctx, key, fn)
}

// Close ends every watch and stops keeping the token alive. The token is not revoked: it ends by itself, and one that was
// given (Token) belongs to somebody else.
func (s *Source) Close() error {
	s.hub.Close()
	s.session.close()
	return nil
}

// Health asks the server how it is: nil for an active one and for a standby that forwards; else Unavailable with what it is.
// It needs no token.
func (s *Source) Health(ctx context.Context) error {
	a, _, err := s.w.once(ctx, request{method: "GET", path: "sys/health"})
	if err != nil {
		return err
	}
	states := map[int]string{429: "a standby", 472: "a secondary for disaster recovery", 473: "a performance standby", 501: "not initialised", 503: "sealed"}
	switch state, known := states[a.status]; {
	case a.status == 200 || a.status == 429 || a.status == 473:
		return nil
	case known:
		return fault.New(fault.Unavailable, "%s is %s", s.w.dest, state)
	}
	return fault.New(fault.Unavailable, "%s answers with the status %d when asked how it is", s.w.dest, a.status)
}
