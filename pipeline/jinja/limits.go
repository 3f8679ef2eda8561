package jinja

import (
	"context"
	"time"
)

// Limits bound one render. Zero fields take the defaults of [DefaultLimits].
type Limits struct {
	// Steps is the work a render may do: loop turns, calls, filters and compared items count one, text counts one per
	// 64 bytes it is read or written. Default 10,000,000.
	Steps int
	// Depth is how deep macros, blocks and recursive loops may call each other. Default 200, about where Python stops.
	Depth int
	// Output is the rendered text in bytes. Default 16 MiB.
	Output int
	// Memory is the sum of bytes that strings, lists and dicts made by the template take, kept or not. Default 64 MiB.
	Memory int
	// Digits is how many decimal digits an int may have in text. Default 4300, as in Python.
	Digits int
	// Range is how many items range() may have. Default 100,000, as in Jinja's sandbox.
	Range int
	// Time is the wall time of a render; the context may end it earlier. Default 10 s.
	Time time.Duration
}

// DefaultLimits are the limits of an environment that names none.
var defaultLimits = Limits{Steps: 10_000_000, Depth: 200, Output: 16 << 20, Memory: 64 << 20, Digits: maxIntDigits,
	Range: 100_000, Time: 10 * time.Second}

// DefaultLimits returns the limits that hold where [Limits] has a zero.
func DefaultLimits() Limits { return defaultLimits }

// Sizes that no setting changes.
const (
	maxIntDigits = 4300
	maxValueNest = 500  // lists inside lists that repr, comparison and copies follow
	checkEvery   = 1024 // steps between looks at the clock and the context
)

func (l Limits) withDefaults() Limits {
	fill := func(n *int, dflt int) {
		if *n <= 0 {
			*n = dflt
		}
	}
	fill(&l.Steps, defaultLimits.Steps)
	fill(&l.Depth, defaultLimits.Depth)
	fill(&l.Output, defaultLimits.Output)
	fill(&l.Memory, defaultLimits.Memory)
	fill(&l.Digits, defaultLimits.Digits)
	fill(&l.Range, defaultLimits.Range)
	if l.Time <= 0 {
		l.Time = defaultLimits.Time
	}
	return l
}

// meter counts what a render uses up.
type meter struct {
	lim   Limits
	left  int // steps left
	check int // look at the clock when left falls to this
	mem   int // bytes left
	depth int
	ctx   context.Context
	start time.Time
}

func (m *meter) reset(ctx context.Context, lim Limits) {
	*m = meter{lim: lim, left: lim.Steps, check: max(lim.Steps-checkEvery, 0), mem: lim.Memory, ctx: ctx, start: time.Now()}
}

// step counts one step.
func (m *meter) step() error {
	m.left--
	if m.left <= m.check {
		return m.look()
	}
	return nil
}

// spend counts n steps.
func (m *meter) spend(n int) error {
	m.left -= n
	if m.left <= m.check {
		return m.look()
	}
	return nil
}

// read counts the work of going over n bytes.
func (m *meter) read(n int) error { return m.spend(n >> 6) }

func (m *meter) look() error {
	if m.left < 0 {
		return limitErr("Steps", "the template does more than %d steps", m.lim.Steps)
	}
	m.check = max(m.left-checkEvery, 0)
	if err := m.ctx.Err(); err != nil {
		return err
	}
	if time.Since(m.start) > m.lim.Time {
		return limitErr("Time", "the template takes longer than %s", m.lim.Time)
	}
	return nil
}

// alloc counts n bytes of new memory, before they are taken.
func (m *meter) alloc(n int) error {
	if n < 0 || n > m.mem {
		return limitErr("Memory", "the template makes more than %d bytes of values", m.lim.Memory)
	}
	m.mem -= n
	return m.read(n)
}

// allocItems counts n list items.
func (m *meter) allocItems(n int) error {
	if n < 0 || n > m.mem/16 {
		return m.alloc(-1)
	}
	return m.alloc(16 * n)
}

// enter counts one level of calls; every success is paired with leave.
func (m *meter) enter() error {
	if m.depth >= m.lim.Depth {
		e := limitErr("Depth", "maximum recursion depth exceeded: macros, blocks and loops call each other more than %d "+
			"levels deep", m.lim.Depth).(*pyErr)
		e.class = "RecursionError"
		return e
	}
	m.depth++
	return nil
}

func (m *meter) leave() { m.depth-- }
