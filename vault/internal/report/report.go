package report

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
)

const (
	pause = time.Minute
	most  = 1024 // things remembered
)

// Log is a logger that does not repeat itself. It is safe for concurrent use.
type Log struct {
	out *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	said map[thing]time.Time
}

type thing struct{ message, app, key, code string }

// New returns a log that writes to out; nil means slog.Default at the time of writing.
func New(out *slog.Logger) *Log {
	return &Log{out: out, now: time.Now, said: map[thing]time.Time{}}
}

// Error logs that something failed for a key of an app, unless that was said less than a minute ago.
func (l *Log) Error(ctx context.Context, message, app, key string, err error) {
	f := fault.From(err)
	if !l.due(thing{message, app, key, f.Code}) {
		return
	}
	out := l.out
	if out == nil {
		out = slog.Default()
	}
	out.WarnContext(ctx, message, "app", app, "key", key, "error", err)
}

func (l *Log) due(t thing) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if last, ok := l.said[t]; ok && now.Sub(last) < pause {
		return false
	}
	if len(l.said) >= most {
		clear(l.said)
	}
	l.said[t] = now
	return true
}
