package audit

import "context"

// Hook is told of each entry that is on disk, before the caller goes on. It must be quick, and must not use the store.
// *audithook.Extension (the package audit_hook next door) is one.
type Hook interface {
	Audited(ctx context.Context, e Entry)
}

// HookFunc is a function as a [Hook].
type HookFunc func(ctx context.Context, e Entry)

// Audited calls f.
func (f HookFunc) Audited(ctx context.Context, e Entry) { f(ctx, e) }

// WithHook has h told of each entry.
func WithHook(h Hook) Option { return func(l *Logger) { l.hook = h } }
