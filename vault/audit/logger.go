package audit

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Logger writes audit entries. It is safe for concurrent use; entries that wait at the same time are committed together.
// Loggers that share a node name and a store slow each other down; a head file has one logger.
type Logger struct {
	st    driver.Store
	mac   mac
	heads *Heads
	// relaxer is the store, if it can commit without waiting for the disk and there is a head file to carry the entries.
	relaxer driver.Relaxer
	tidying atomic.Bool
	node    string
	epoch   int64
	hook    Hook
	count   *metrics.Collector // nil: nothing is counted

	blinder  Blinder
	personal PersonalFields

	log *slog.Logger

	mu      sync.Mutex
	tails   map[driver.Chain]tail
	flights map[driver.Chain]*flight // what the head file has, or is about to have, and the database does not
	open    map[driver.Chain]bool    // a transaction adds to it, or did and may have failed
	// grounded is set when the store closes: what could not be committed must not be in the head file.
	grounded bool

	batch batch
	news  news
}

// Option changes a logger.
type Option func(*Logger)

// WithMAC authenticates every entry and head. Without it the chain is a bare hash chain: it shows accidents, not an
// attacker who writes the rest of it anew. A server passes keyring.Ring.MAC([KeyPurpose]).
func WithMAC(m func(data []byte) []byte) Option { return func(l *Logger) { l.mac = m } }

// WithHeads keeps the head of every chain in a file outside the database. Without it a cut-off end does not show.
func WithHeads(h *Heads) Option { return func(l *Logger) { l.heads = h } }

// WithNode names this process in a group of them; the default is "node-1". Each node writes chains of its own.
func WithNode(name string) Option {
	// What follows "~" names a chain beside the ordinary one, see driver.Chain.Log.
	return func(l *Logger) { l.node = strings.ReplaceAll(clean(name, 64), "~", "-") }
}

// WithEpoch starts the chains anew under a number; the default is 1. A restored database, or one whose head file is lost,
// goes on in the next epoch: the entries before it stay as they are, and the verifier keeps saying what is wrong with them.
func WithEpoch(n int64) Option { return func(l *Logger) { l.epoch = n } }

// WithMetrics has entries that are on disk counted. The default is nothing.
func WithMetrics(c *metrics.Collector) Option { return func(l *Logger) { l.count = c } }

// WithLogger has failures to write an entry logged. The default logs nothing: the caller gets the error.
func WithLogger(log *slog.Logger) Option { return func(l *Logger) { l.log = log } }

// NewLogger returns a logger that keeps its entries in st.
func NewLogger(st driver.Store, opts ...Option) *Logger {
	l := &Logger{st: st, node: "node-1", epoch: 1, log: slog.New(slog.DiscardHandler), tails: map[driver.Chain]tail{},
		flights: map[driver.Chain]*flight{}, open: map[driver.Chain]bool{}}
	for _, o := range opts {
		o(l)
	}
	if r, ok := st.(driver.Relaxer); ok && l.heads != nil {
		l.relaxer = r
		r.BeforeClose(l.leave)
	}
	if t, ok := st.(interface{ auditTable() *Table }); ok {
		t.auditTable().bind(l)
	}
	return l
}

// LogAccess records that the caller in the context's scope did something to the thing named key, which went well.
func (l *Logger) LogAccess(ctx context.Context, key, action, resource string) error {
	return l.logNow(ctx, Event{Action: action, Resource: resource, Name: key}, nil)
}

// LogFailure records that the caller in the context's scope tried something and got err. Of err only its kind and code are
// written down.
func (l *Logger) LogFailure(ctx context.Context, key, action, resource string, err error) error {
	if err == nil {
		return fault.New(fault.Invalid, "there is no failure to record").WithHint("call LogAccess when it went well")
	}
	return l.logNow(ctx, Event{Action: action, Resource: resource, Name: key}, err)
}

func (l *Logger) logNow(ctx context.Context, ev Event, failure error) error {
	caller, err := scope.Strict(ctx)
	if err != nil {
		return err
	}
	return l.Record(ctx, caller, ev, OutcomeOf(failure), failureDetails(failure)...)
}

func failureDetails(err error) []Detail {
	if err == nil {
		return nil
	}
	f := fault.From(err)
	out := []Detail{{"kind", f.Kind.String()}}
	if f.Code != "" {
		out = append(out, Detail{"code", f.Code})
	}
	return out
}

// Record writes one entry for something that is over: a denial, a login that failed.
func (l *Logger) Record(ctx context.Context, caller scope.Caller, ev Event, outcome Outcome, more ...Detail) error {
	_, err := l.write(ctx, caller, ev, "", outcome, more)
	return err
}

// Begin writes the first entry for something about to happen, and returns once it is on disk. The caller must call
// [Pending.End] or [Pending.EndTx].
func (l *Logger) Begin(ctx context.Context, caller scope.Caller, ev Event) (*Pending, error) {
	entryID, err := l.write(ctx, caller, ev, "", Begun, nil)
	if err != nil {
		return nil, err
	}
	return &Pending{l: l, caller: caller, ev: ev, id: entryID}, nil
}

// write makes an entry durable on its own, and returns its id.
func (l *Logger) write(ctx context.Context, caller scope.Caller, ev Event, ref string, outcome Outcome, more []Detail) (string, error) {
	row, err := l.record(ctx, caller, ev, ref, outcome, more)
	if err != nil {
		return "", err
	}
	return row.ID, nil
}

// record is write, and returns the entry with its place.
func (l *Logger) record(ctx context.Context, caller scope.Caller, ev Event, ref string, outcome Outcome, more []Detail) (*driver.AuditRow, error) {
	row, err := l.row(caller, ev, ref, outcome, more)
	if err != nil {
		return nil, err
	}
	if err := l.batch.write(ctx, l, row); err != nil {
		l.log.ErrorContext(ctx,
			"an audit entry could not be written", "action", row.Action, "app", row.App, "tenant", row.Tenant, "error", err)
		if ref != "" {
			return nil, unwritten(err, heldBack)
		}
		return nil, unwritten(err, nothingDone)
	}
	l.told(ctx, row)
	return row, nil
}

// told is after an entry is on disk.
func (l *Logger) told(ctx context.Context, row *driver.AuditRow) {
	if l.count != nil {
		l.count.AuditRecorded.Inc()
	}
	if l.hook != nil {
		l.hook.Audited(ctx, fromRow(*row))
	}
}

// row is the entry before it has a place in its chain.
func (l *Logger) row(caller scope.Caller, ev Event, ref string, outcome Outcome, more []Detail) (*driver.AuditRow, error) {
	if err := ev.check(); err != nil {
		return nil, err
	}
	chain := driver.Chain{App: caller.App, Tenant: caller.Tenant, Node: l.node, Epoch: l.epoch}
	check := driver.Owner
	if ev.Operator {
		chain.Tenant = driver.Operator
		check = func(app, _ string) error { return driver.App(app) }
	}
	if err := check(caller.App, caller.Tenant); err != nil {
		return nil, err
	}
	return &driver.AuditRow{
		Chain: chain, ID: id.New(id.Audit).String(), Ref: ref,
		User: clean(caller.User, maxText), IP: clean(caller.IP, maxText), RequestID: clean(caller.RequestID, maxText),
		Action: ev.Action, Resource: ev.Resource, Name: clean(ev.Name, maxText), Outcome: string(outcome),
		Details: encodeDetails(append(ev.Details[:len(ev.Details):len(ev.Details)], more...)),
	}, nil
}
