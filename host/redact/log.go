package redact

import (
	"context"
	"fmt"
	"log/slog"
)

// Handler is a log handler that takes the values of its sets out of every message and attribute before next sees them.
func Handler(next slog.Handler, sets ...*Set) slog.Handler { return handler{next, sets} }

type handler struct {
	next slog.Handler
	sets []*Set
}

func (h handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs keeps the attributes here: a value that is resolved later must still be found in them.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return attached{handler: h, attrs: attrs}
}

func (h handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return attached{handler: h, group: name}
}

func (h handler) text(s string) string {
	for _, set := range h.sets {
		s = set.String(s)
	}
	return s
}

func (h handler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		v = slog.StringValue(h.text(v.String()))
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, inner := range v.Group() {
			group[i] = h.attr(inner)
		}
		v = slog.GroupValue(group...)
	case slog.KindAny: // an error or a struct: its text is what a reader of the log gets
		if raw, ok := v.Any().([]byte); ok {
			v = slog.StringValue(h.text(string(raw)))
			break
		}
		if text := fmt.Sprintf("%+v", v.Any()); h.text(text) != text {
			v = slog.StringValue(h.text(text))
		}
	}
	return slog.Attr{Key: h.text(a.Key), Value: v}
}

// attached is a logger made by With or WithGroup: what it adds is redacted with each record.
type attached struct {
	handler slog.Handler // a handler or another attached
	attrs   []slog.Attr
	group   string
}

func (a attached) Enabled(ctx context.Context, l slog.Level) bool { return a.handler.Enabled(ctx, l) }

func (a attached) Handle(ctx context.Context, r slog.Record) error {
	outer := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	outer.AddAttrs(a.attrs...)
	var own []slog.Attr
	r.Attrs(func(at slog.Attr) bool {
		own = append(own, at)
		return true
	})
	if a.group != "" {
		own = []slog.Attr{{Key: a.group, Value: slog.GroupValue(own...)}}
	}
	outer.AddAttrs(own...)
	return a.handler.Handle(ctx, outer)
}

func (a attached) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return a
	}
	return attached{handler: a, attrs: attrs}
}

func (a attached) WithGroup(name string) slog.Handler {
	if name == "" {
		return a
	}
	return attached{handler: a, group: name}
}
