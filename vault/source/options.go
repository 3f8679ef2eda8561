package source

import (
	"log/slog"
	"time"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// Defaults of [Option].
const (
	DefaultPollInterval = 30 * time.Second
	DefaultMaxWatchers  = 1024
	DefaultMaxSize      = 64 << 10
	DefaultMaxList      = 10_000
)

// Option changes a source of this package. An option that a source has no use for is ignored by it.
type Option func(*options)

type options struct {
	name        string
	poll        time.Duration
	maxWatchers int
	maxSize     int64
	log         *slog.Logger
	allow       []string
	trim        bool
	changes     driver.Watcher
}

func read(name string, opts []Option) options {
	o := options{name: name, poll: DefaultPollInterval, maxWatchers: DefaultMaxWatchers, maxSize: DefaultMaxSize,
		log: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// WithName sets the name of the source, so that two of a kind can be told apart in a chain.
func WithName(name string) Option { return func(o *options) { o.name = name } }

// WithPollInterval sets how often a source that is not told of changes looks for them, for each watch; the default is 30 s.
func WithPollInterval(d time.Duration) Option {
	return func(o *options) {
		if d > 0 {
			o.poll = d
		}
	}
}

// WithMaxWatchers sets how many watches a source has at most; the default is 1024.
func WithMaxWatchers(n int) Option {
	return func(o *options) {
		if n > 0 {
			o.maxWatchers = n
		}
	}
}

// WithMaxSize sets the most bytes of one value; the default is 64 KiB. A longer one is an error (TooLarge).
func WithMaxSize(n int64) Option {
	return func(o *options) {
		if n > 0 {
			o.maxSize = n
		}
	}
}

// WithLogger sets where it is logged that a watch could not read, or that a callback panicked; the default is nowhere.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) {
		if l != nil {
			o.log = l
		}
	}
}

// WithTrimNewline has a file's value end before a line break at the very end of the file, as written by an editor. The
// default is every byte as it is.
func WithTrimNewline() Option { return func(o *options) { o.trim = true } }

// WithChanges has the watches of [NewSecrets] woken when the store tells of a change, in place of polling it. It is the store
// that the secret service keeps its rows in.
func WithChanges(st driver.Watcher) Option { return func(o *options) { o.changes = st } }
