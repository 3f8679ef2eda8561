package tui

import (
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress shows how far long work is. Off a terminal it shows nothing, and so does a nil Progress.
type Progress struct{ p *mpb.Progress }

// NewProgress returns progress on w, which is usually os.Stderr, so that standard output stays clean.
func NewProgress(w io.Writer) *Progress {
	if !IsTerminal(w) || os.Getenv("TERM") == "dumb" {
		return &Progress{}
	}
	return &Progress{p: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))}
}

// Bar is one piece of work.
type Bar struct{ b *mpb.Bar }

// Bar adds work of total steps under a name.
func (p *Progress) Bar(name string, total int64) *Bar {
	if p == nil || p.p == nil {
		return &Bar{}
	}
	return &Bar{p.p.AddBar(total,
		mpb.PrependDecorators(decor.Name(Clean(name), decor.WCSyncSpaceR), decor.CountersNoUnit("%d/%d", decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)))}
}

// Add counts n more steps as done.
func (b *Bar) Add(n int) {
	if b.b != nil {
		b.b.IncrBy(n)
	}
}

// End ends the bar where it is, done or not. Calling it again does nothing.
func (b *Bar) End() {
	if b.b != nil && !b.b.Completed() {
		b.b.Abort(false)
	}
}

// Wait returns when every bar has ended and the last of them is drawn.
func (p *Progress) Wait() {
	if p != nil && p.p != nil {
		p.p.Wait()
	}
}
