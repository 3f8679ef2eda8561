package source

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Database reads the config entries of an app, as text: text as it is, numbers and bools as Go writes them, everything else
// as JSON. A store that tells of changes (driver.Watcher, as those of this wing) wakes the watches; another is polled.
type Database struct {
	o     options
	store config.Store
	app   string
	hub   *Hub
	stop  func()
}

// NewDatabase returns a source named "database" over the config entries of one app.
func NewDatabase(store config.Store, appID string, opts ...Option) *Database {
	d := &Database{o: read("database", opts), store: store, app: appID, stop: func() {}}
	w, told := store.(driver.Watcher)
	poll := d.o.poll
	if told {
		poll = 0
	}
	d.hub = newHub(d.o, d.Get, poll)
	if told {
		d.stop = w.Watch(func(c driver.Change) {
			switch {
			case c.Noun == driver.NounEverything:
				d.hub.WakeAll()
			case c.Noun == driver.NounConfig && c.App == appID && c.Tenant == driver.Shared:
				d.hub.Wake(c.Name)
			}
		})
	}
	return d
}

// Name returns "database", or the name it was given.
func (d *Database) Name() string { return d.o.name }

// Get returns an entry.
func (d *Database) Get(ctx context.Context, key string) (*Value, error) {
	if err := d.open(ctx, key); err != nil {
		return nil, err
	}
	if config.CheckKey(key) != nil {
		return nil, missing(d.o.name, key)
	}
	e, err := d.store.GetConfig(ctx, key, d.app)
	if errors.Is(err, base.ErrConfigNotFound) {
		return nil, missing(d.o.name, key)
	}
	if err != nil {
		return nil, err
	}
	return d.value(e)
}

func (d *Database) open(ctx context.Context, key string) error {
	if err := d.hub.Closed(); err != nil {
		return err
	}
	if err := alive(ctx, d.o.name); err != nil {
		return err
	}
	return checkKey(key)
}

func (d *Database) value(e *config.Entry) (*Value, error) {
	text, err := asText(e.Value)
	if err != nil {
		return nil, err
	}
	return (&Value{Key: e.Key, Raw: sealed.NewString(text), Source: d.o.name, Version: e.Version, Metadata: e.Metadata}).Clone(), nil
}

// asText writes a config value as text.
func asText(v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	case float32:
		return strconv.FormatFloat(float64(x), 'f', -1, 32), nil
	case time.Duration:
		return x.String(), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "a config value cannot be written as text")
	}
	return string(b), nil
}

// List returns the entries whose keys begin with prefix; most 10,000 are looked at.
func (d *Database) List(ctx context.Context, prefix string) ([]*Value, error) {
	if err := d.open(ctx, "x"+prefix); err != nil {
		return nil, err
	}
	out := []*Value{}
	for after, seen := "", 0; ; {
		page, err := d.store.ListConfig(ctx, d.app, config.ListOpts{After: after, Limit: listPage})
		if err != nil {
			return nil, err
		}
		if seen += len(page); seen > DefaultMaxList {
			return nil, tooMany(d.o.name)
		}
		for _, e := range page {
			if after = e.Key; strings.HasPrefix(e.Key, prefix) {
				v, err := d.value(e)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
		}
		if len(page) < listPage {
			return out, nil
		}
	}
}

const listPage = 1000

func tooMany(source string) error {
	return fault.New(fault.TooLarge, "the source %s has more than %d keys", source, DefaultMaxList).WithHint("ask for keys by name")
}

// Watch has fn called when an entry changes, see [Source].
func (d *Database) Watch(ctx context.Context, key string, fn WatchFunc) error {
	return d.hub.Watch(ctx, key, fn)
}

// Close ends every watch and stops listening to the store, which stays open.
func (d *Database) Close() error {
	d.stop()
	d.hub.Close()
	return nil
}
