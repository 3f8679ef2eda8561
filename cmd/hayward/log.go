package main

import (
	"io"
	"log/slog"

	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
)

// newLog returns a structured log: text with a short time for a terminal, JSON for everything else.
func newLog(w io.Writer, format, level string) *slog.Logger {
	var at slog.Level
	if at.UnmarshalText([]byte(level)) != nil {
		at = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: at}
	if format == "text" || (format == "auto" && tui.IsTerminal(w)) {
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.String(slog.TimeKey, a.Value.Time().Format("15:04:05.000"))
			}
			return a
		}
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}
