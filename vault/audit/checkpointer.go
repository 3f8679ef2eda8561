package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// CheckpointOptions configures [NewCheckpointer]. The zero value of each field is usable.
type CheckpointOptions struct {
	Every   time.Duration                             // the longest an entry waits for a checkpoint; default 10 s
	Entries int64                                     // the most entries that wait for one; default 1,000
	Journal *Journal                                  // keeps them outside the database, too; nil keeps them in the store only
	Trusted PublicKeys                                // keys that signed earlier, beside the signer's own
	Publish func(context.Context, Checkpoint)         // is told of each one that is on disk; it must not wait
	Alarm   func(ctx context.Context, problem string) // is told of what is wrong with the record; default: the log alone
	Log     *slog.Logger                              // default: nothing
}

// Checkpointer signs what the chains of one logger are, every so often: see [Checkpoint]. It reads what is stored, so that
// nothing is signed that is not on disk, and it signs no chain whose new entries were not written by this server. It never
// holds up those who write. It is safe for concurrent use; a logger has at most one.
type Checkpointer struct {
	l    *Logger
	sign signer
	keys PublicKeys
	o    CheckpointOptions
	news *follower

	mu     sync.Mutex
	loaded bool
	chains map[driver.Chain]*state
	log    merkle.Tree
	last   Checkpoint
	bad    map[driver.Chain]string
	err    error
}

// state is a chain as the last checkpoint has it.
type state struct {
	tree merkle.Tree
	leaf merkle.Hash
}

// CheckpointStatus is how the checkpointer is doing.
type CheckpointStatus struct {
	Number   int64     `json:"number"` // the newest checkpoint; 0: none yet
	At       time.Time `json:"time"`
	Problems []Problem `json:"problems"`        // chains that are left out because something is wrong with them
	Error    string    `json:"error,omitempty"` // why the last attempt failed
}

// NewCheckpointer returns a checkpointer for l's chains. It does nothing until [Checkpointer.Run] or
// [Checkpointer.Checkpoint] is called.
func NewCheckpointer(l *Logger, s Signer, o CheckpointOptions) (*Checkpointer, error) {
	sign, err := s.note()
	if err != nil {
		return nil, err
	}
	if o.Every <= 0 {
		o.Every = 10 * time.Second
	}
	if o.Entries <= 0 {
		o.Entries = 1000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	// Entries are still coming while a checkpoint is made: it begins before the limit.
	return &Checkpointer{l: l, sign: sign, o: o, keys: PublicKeys{[]noteVerifier{sign}}.And(o.Trusted),
		news: l.news.follow(max(1, o.Entries*3/4)), bad: map[driver.Chain]string{}}, nil
}

// Status returns how it is doing.
func (c *Checkpointer) Status() CheckpointStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := CheckpointStatus{Number: c.last.Number, At: c.last.At, Problems: []Problem{}}
	for ch, what := range c.bad {
		s.Problems = append(s.Problems, problemOf(ch, what))
	}
	if c.err != nil {
		s.Error = c.err.Error()
	}
	return s
}

// Last returns the newest checkpoint; its Number is 0 when there is none.
func (c *Checkpointer) Last() Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Keys returns the keys that this log's checkpoints may be signed with.
func (c *Checkpointer) Keys() PublicKeys { return c.keys }

// Run makes checkpoints until ctx is over, and a last one then.
func (c *Checkpointer) Run(ctx context.Context) {
	defer c.l.news.leave(c.news)
	tick := time.NewTicker(c.o.Every)
	defer tick.Stop()
	for {
		c.attempt(ctx)
		select {
		case <-c.news.wake:
		case <-tick.C:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.o.Every)
			defer cancel()
			c.attempt(last)
			return
		}
	}
}

func (c *Checkpointer) attempt(ctx context.Context) {
	if _, _, err := c.Checkpoint(ctx); err != nil && ctx.Err() == nil {
		c.o.Log.ErrorContext(ctx, "the audit record could not be signed", "error", err)
		c.alarm(ctx, err.Error())
	}
}

func (c *Checkpointer) alarm(ctx context.Context, what string) {
	if c.o.Alarm != nil {
		c.o.Alarm(ctx, what)
	}
}

// Checkpoint makes a checkpoint now, if anything was written since the last one. It returns the newest one and whether it
// is new. What is wrong with single chains is in [Checkpointer.Status]; the error is about the whole log.
func (c *Checkpointer) Checkpoint(ctx context.Context) (cp Checkpoint, fresh bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.err = err }()
	grown := c.news.take()
	if !c.loaded {
		if grown, err = c.load(ctx); err != nil {
			return c.last, false, err
		}
		c.loaded = true
	}
	next, err := c.grow(ctx, grown)
	if err == nil && len(next) > 0 {
		fresh, err = true, c.put(ctx, next)
	}
	if err != nil {
		c.news.put(grown)
		return c.last, false, err
	}
	c.news.put(c.behind(grown))
	if fresh && c.o.Publish != nil {
		c.o.Publish(ctx, c.last)
	}
	return c.last, fresh, nil
}

// grow reads what was added to the chains.
func (c *Checkpointer) grow(ctx context.Context, grown map[driver.Chain]int64) (map[driver.Chain]*state, error) {
	next := map[driver.Chain]*state{}
	err := c.l.st.View(ctx, func(tx driver.Tx) error {
		for ch := range grown {
			s, what, err := c.growOne(ctx, tx, ch)
			if err != nil {
				return err
			}
			c.judge(ctx, ch, what)
			if s != nil {
				next[ch] = s
			}
		}
		return nil
	})
	return next, err
}

// behind returns the chains whose end is stored and not in the head file yet, for the next time.
func (c *Checkpointer) behind(grown map[driver.Chain]int64) map[driver.Chain]int64 {
	out := map[driver.Chain]int64{}
	for ch, end := range grown {
		if s := c.chains[ch]; c.bad[ch] == "" && (s == nil || s.tree.Size < end) {
			out[ch] = end
		}
	}
	return out
}

// judge notes what is wrong with a chain, and says it once.
func (c *Checkpointer) judge(ctx context.Context, ch driver.Chain, what string) {
	if what == "" {
		delete(c.bad, ch)
		return
	}
	if c.bad[ch] != what {
		p := problemOf(ch, what).String()
		c.o.Log.ErrorContext(ctx, "an audit chain is not signed any further", "problem", p)
		c.alarm(ctx, p)
	}
	c.bad[ch] = what
}

// errEnough ends a scan.
var errEnough = errors.New("enough")

// growOne lets the tree of a chain grow by what is stored and, if there is a head file, known there: what a crash may have
// left behind the head is not signed before the next entry confirms it.
func (c *Checkpointer) growOne(ctx context.Context, tx driver.Tx, ch driver.Chain) (*state, string, error) {
	s := &state{}
	if have := c.chains[ch]; have != nil {
		s.tree = have.tree.Clone()
	}
	limit := int64(1) << 62
	if c.l.heads != nil {
		limit = c.l.heads.get(ch).Seq - s.tree.Size
	}
	if limit <= 0 {
		return nil, "", nil
	}
	what, from := "", s.tree.Size
	err := tx.ScanAuditHashes(ctx, ch, from, limit, func(seq int64, hash, mac []byte) error {
		if what = c.follows(seq, s.tree.Size, hash, mac); what != "" {
			return errEnough
		}
		s.tree.Add(merkle.Leaf(hash))
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, "", err
	}
	if s.tree.Size == from {
		return nil, what, nil
	}
	s.leaf = stateLeaf(ch, s.tree.Size, s.tree.Root())
	return s, what, nil
}

func (c *Checkpointer) follows(seq, size int64, hash, mac []byte) string {
	w := walker{mac: c.l.mac, seq: size}
	return w.proven(seq, hash, mac)
}

// put signs and writes the next checkpoint.
func (c *Checkpointer) put(ctx context.Context, next map[driver.Chain]*state) error {
	all := make(map[driver.Chain]*state, len(c.chains)+len(next))
	for ch, s := range c.chains {
		all[ch] = s
	}
	for ch, s := range next {
		all[ch] = s
	}
	cp := Checkpoint{Node: c.l.node, Epoch: c.l.epoch, Number: c.last.Number + 1, Chains: int64(len(all)), Snapshot: snapshot(all)}
	log := c.log.Clone()
	err := c.l.st.Update(ctx, func(tx driver.Tx) (err error) {
		log = c.log.Clone()
		cp.At = time.UnixMicro(tx.Now()).UTC()
		log.Add(cp.leaf())
		cp.Root = log.Root()
		if cp, err = cp.signed(c.sign); err != nil {
			return err
		}
		for ch, s := range next {
			root := s.tree.Root()
			row := driver.AuditTreeRow{Chain: ch, Number: cp.Number, Size: s.tree.Size, Root: root[:], Edges: s.tree.Bytes()}
			if err := tx.PutAuditTree(ctx, row); err != nil {
				return err
			}
		}
		row := driver.AuditCheckpointRow{Node: cp.Node, Epoch: cp.Epoch, Number: cp.Number, At: tx.Now(), Note: cp.Text, Edges: log.Bytes()}
		added, err := tx.AddAuditCheckpointEverywhere(ctx, row)
		if err == nil && !added {
			return fault.Wrap(fault.Unavailable, base.ErrAuditBroken, "the checkpoints of the node %s have another writer", cp.Node).
				WithHint("give each process a node name of its own")
		}
		return err
	})
	if err != nil {
		c.loaded = false // somebody else may have written; it is read again
		return err
	}
	c.chains, c.log, c.last = all, log, cp
	return c.keep(cp)
}

// keep writes a checkpoint into the file, after those it may have missed.
func (c *Checkpointer) keep(cp Checkpoint) error {
	if c.o.Journal == nil {
		return nil
	}
	err := c.o.Journal.append([]Checkpoint{cp})
	if err != nil {
		c.loaded = false // reading the log again makes up for it
	}
	return err
}

// snapshot is the root of the tree over the states of all chains.
func snapshot(all map[driver.Chain]*state) merkle.Hash {
	var t merkle.Tree
	for _, ch := range sortedChains(all) {
		t.Add(all[ch].leaf)
	}
	return t.Root()
}
