package audit

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// Feed hands the entries of one logger's chains to a sink, each at least once and in the order of its chain, and remembers in
// the store how far the sink has got. It never holds up those who write. It is for one goroutine; [Feed.Lag] is for any.
type Feed struct {
	l    *Logger
	name string
	mine func(driver.Chain) bool
	open opener
	news *follower

	mu      sync.Mutex
	started bool
	chains  map[driver.Chain]*place
	turn    []driver.Chain // whose turn it is, so that a busy chain does not keep the others waiting
	saved   time.Time
}

// place is how far a sink has got in a chain.
type place struct {
	at, end, saved int64
	oldest         time.Time // when the first entry that is not delivered was seen
}

// FeedOptions configures [Logger.Feed].
type FeedOptions struct {
	App, Tenant string // one tenant's entries; without a tenant those of all tenants of the app, without an app all
	Plain       bool   // personal fields in clear: out there, destroying the tenant's keys does not reach them
}

// Feed returns a feed for the sink of that name. Two sinks of one logger have two names.
func (l *Logger) Feed(name string, o FeedOptions) *Feed {
	f := &Feed{l: l, name: name, news: l.news.follow(1), chains: map[driver.Chain]*place{}}
	f.mine = func(c driver.Chain) bool {
		return c.Log() == l.node && (o.App == "" || c.App == o.App) && (o.Tenant == "" || c.Tenant == o.Tenant)
	}
	if o.Plain {
		f.open.blinder = l.blinder
	}
	return f
}

// Close ends the feed. What was delivered and not yet noted is noted.
func (f *Feed) Close(ctx context.Context) error {
	f.l.news.leave(f.news)
	return f.save(ctx)
}

// Wait returns when there may be more entries, when d is over, or when ctx is.
func (f *Feed) Wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-f.news.wake:
	case <-t.C:
	case <-ctx.Done():
	}
}

// Lag returns how many entries are not delivered, and since when the oldest of them has been waiting.
func (f *Feed) Lag() (entries int64, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.chains {
		if n := p.end - p.at; n > 0 {
			entries += n
			if since.IsZero() || p.oldest.Before(since) {
				since = p.oldest
			}
		}
	}
	return entries, since
}

// Next returns up to limit entries of one chain that follow what was delivered; none when everything is.
func (f *Feed) Next(ctx context.Context, limit int) ([]Line, error) {
	if err := f.look(ctx); err != nil {
		return nil, err
	}
	c, at, ok := f.pick()
	if !ok {
		return nil, nil
	}
	var rows []driver.AuditRow
	var open []*Personal
	known := f.l.known(c)
	if known <= at { // stored, and not durable yet
		return nil, nil
	}
	err := f.l.st.View(ctx, func(tx driver.Tx) error {
		rows = nil
		err := tx.ScanAudit(ctx, c, at, func(r driver.AuditRow) error {
			if len(rows) == limit || r.Seq > known {
				return errEnough
			}
			rows = append(rows, r)
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if f.open.blinder == nil {
			open = make([]*Personal, len(rows))
			return nil
		}
		open, err = f.open.open(ctx, tx, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 { // they are gone; the verification says so
		f.deliver(c, f.endOf(c))
		return nil, nil
	}
	lines := make([]Line, len(rows))
	for i, r := range rows {
		lines[i] = newLine(r)
		lines[i].Open = open[i]
	}
	return lines, nil
}

// Delivered notes that the sink has lines, which are of one chain. Where it stands is written into the store once a second.
func (f *Feed) Delivered(ctx context.Context, lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	last := lines[len(lines)-1].row()
	f.deliver(last.Chain, last.Seq)
	if time.Since(f.saved) < time.Second {
		return nil
	}
	return f.save(ctx)
}

// look takes in what has grown; the first time, what there is and how far the sink had got.
func (f *Feed) look(ctx context.Context) error {
	grown := f.news.take()
	if !f.started {
		if err := f.start(ctx); err != nil {
			f.news.put(grown)
			return err
		}
		f.started = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for c, end := range grown {
		if f.mine(c) {
			f.grow(c, end)
		}
	}
	return nil
}

func (f *Feed) grow(c driver.Chain, end int64) {
	p := f.chains[c]
	if p == nil {
		p = &place{}
		f.chains[c] = p
	}
	if p.at >= p.end {
		p.oldest = time.Now()
	}
	p.end = max(p.end, end)
}

func (f *Feed) start(ctx context.Context) error {
	type found struct {
		c       driver.Chain
		at, end int64
	}
	var all []found
	err := f.l.st.View(ctx, func(tx driver.Tx) error {
		chains, err := tx.AuditChainsEverywhere(ctx)
		for _, c := range chains {
			if err != nil || !f.mine(c) {
				continue
			}
			var at int64
			var end driver.AuditRow
			if at, err = tx.AuditCursor(ctx, c, f.name); err == nil {
				end, err = tx.AuditTail(ctx, c)
			}
			all = append(all, found{c, at, end.Seq})
		}
		return err
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range all {
		f.chains[n.c] = &place{at: n.at, saved: n.at, oldest: time.Now(), end: n.end}
	}
	return nil
}

// pick returns a chain with something to deliver; each in turn.
func (f *Feed) pick() (driver.Chain, int64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range 2 {
		for len(f.turn) > 0 {
			c := f.turn[0]
			f.turn = f.turn[1:]
			if p := f.chains[c]; p != nil && p.at < p.end {
				return c, p.at, true
			}
		}
		for c, p := range f.chains {
			if p.at < p.end {
				f.turn = append(f.turn, c)
			}
		}
		slices.SortFunc(f.turn, driver.Chain.Compare)
	}
	return driver.Chain{}, 0, false
}

func (f *Feed) endOf(c driver.Chain) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chains[c].end
}

func (f *Feed) deliver(c driver.Chain, seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.chains[c]
	p.at, p.end, p.oldest = max(p.at, seq), max(p.end, seq), time.Now()
}

// save writes the cursors that have moved.
func (f *Feed) save(ctx context.Context) error {
	f.mu.Lock()
	moved := map[driver.Chain]int64{}
	for c, p := range f.chains {
		if p.at != p.saved {
			moved[c] = p.at
		}
	}
	f.mu.Unlock()
	f.saved = time.Now()
	if len(moved) == 0 {
		return nil
	}
	err := f.l.st.Update(ctx, func(tx driver.Tx) error {
		for _, c := range sortedChains(moved) {
			if err := tx.PutAuditCursor(ctx, c, f.name, moved[c]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for c, at := range moved {
		f.chains[c].saved = at
	}
	return nil
}

// known is the last entry of a chain that is durable: what is stored beyond it may be lost, and another get its number.
func (l *Logger) known(c driver.Chain) int64 {
	if l.heads == nil || c.Epoch != l.epoch {
		return math.MaxInt64
	}
	return l.heads.get(c).Seq
}
