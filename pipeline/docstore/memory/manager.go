package memory

import (
	"container/list"
	"context"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
)

// Options bounds a [Manager]. The zero value of each field is usable.
type Options struct {
	// MaxBytes is about how much the documents of open indexes may take in memory before those that nobody uses are
	// forgotten; they are read back from the journal when they are needed again. Default 1 GiB. Without a journal nothing
	// is ever forgotten.
	MaxBytes int64
	// MaxOpen bounds the number of open indexes in the same way. Default 10,000.
	MaxOpen int
	// MaxIndexBytes is how much the documents of one index may take; a write beyond it is TooLarge. Default 1 GiB.
	MaxIndexBytes int64
}

// Manager opens the indexes of all tenants of a process, each when it is first used, and keeps those in memory that
// were used last. It is safe for concurrent use.
type Manager struct {
	journal Journal
	keeps   bool // the journal can give an index back
	opts    Options

	mu   sync.Mutex
	open map[Key]*opened
	lru  *list.List // of *opened, the last used in front
}

// opened is an index, or one that is being read.
type opened struct {
	key   Key
	index *Index
	ready chan struct{} // closed when index or err is set
	err   error
	users int
	place *list.Element
}

// NewManager returns a manager over a journal; nil keeps documents in memory only.
func NewManager(j Journal, o Options) *Manager {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 30
	}
	if o.MaxOpen <= 0 {
		o.MaxOpen = 10000
	}
	if o.MaxIndexBytes <= 0 {
		o.MaxIndexBytes = 1 << 30
	}
	m := &Manager{journal: j, keeps: j != nil, opts: o, open: map[Key]*opened{}, lru: list.New()}
	if j == nil {
		m.journal = forgetful{}
	}
	return m
}

// Open returns the store that ref means for a tenant: the index it names, or else the documents of this component of
// this pipeline. app, tenant and, for a reference without an index, pipeline must not be empty. Nothing is read before
// the store is used.
func (m *Manager) Open(ctx context.Context, app, tenant, pipeline string, ref docstore.Ref) (*Store, error) {
	if ref.Type != TypeName {
		return nil, fault.New(fault.Unsupported, "a store of type '%s' is not kept in memory", ref.Type)
	}
	if app == "" || tenant == "" {
		return nil, fault.New(fault.Internal, "a document store was opened without an app or a tenant")
	}
	p, err := parseParams(ref.Params)
	if err != nil {
		return nil, err
	}
	key := Key{App: app, Tenant: tenant, Index: "index:" + ref.Index}
	if private(ref) {
		if pipeline == "" || ref.Component == "" {
			return nil, fault.New(fault.Internal, "a document store without an index was opened without a pipeline or a component")
		}
		key.Index = "component:" + pipeline + "/" + ref.Component
	}
	return &Store{manager: m, key: key, params: p}, nil
}

// use gives fn the index of a key, reading it first where needed. The index is not forgotten meanwhile.
func (m *Manager) use(ctx context.Context, key Key, fn func(*Index) error) error {
	o, mine := m.acquire(key)
	before := o.size()
	defer func() { m.release(o, mine || o.size() > before) }()
	if mine {
		o.read(context.WithoutCancel(ctx), m.journal) // others may wait for it, too
	}
	select {
	case <-o.ready:
	case <-ctx.Done():
		return fault.Wrap(fault.Canceled, context.Cause(ctx), "the document store was not opened")
	}
	if o.err != nil {
		return o.err
	}
	return fn(o.index)
}

// read fills the entry, and lets those who wait go on whatever happens.
func (o *opened) read(ctx context.Context, j Journal) {
	o.index = newIndex(o.key, j)
	o.err = fault.New(fault.Internal, "a document store could not be read")
	defer close(o.ready)
	o.err = o.index.load(ctx)
}

// acquire finds the entry of a key; mine says that the caller must fill it.
func (m *Manager) acquire(key Key) (o *opened, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o = m.open[key]
	if o == nil {
		o, mine = &opened{key: key, ready: make(chan struct{})}, true
		m.open[key] = o
		o.place = m.lru.PushFront(o)
	}
	o.users++
	m.lru.MoveToFront(o.place)
	return o, mine
}

// release ends a use; grown says that there may be more in memory than before.
func (m *Manager) release(o *opened, grown bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o.users--
	if o.users == 0 && o.err != nil {
		m.forget(o) // the next one tries again
	}
	if m.keeps && grown {
		m.shrink()
	}
}

// shrink forgets unused indexes, the longest unused first, until the rest fits. The caller holds mu.
func (m *Manager) shrink() {
	total, count := int64(0), 0
	for e := m.lru.Front(); e != nil; e = e.Next() {
		total += e.Value.(*opened).size()
		count++
	}
	for e := m.lru.Back(); e != nil && (total > m.opts.MaxBytes || count > m.opts.MaxOpen); {
		o, prev := e.Value.(*opened), e.Prev()
		if o.users == 0 {
			total -= o.size()
			count--
			m.forget(o)
		}
		e = prev
	}
}

// size is about how much the index takes in memory; 0 while it is being read.
func (o *opened) size() int64 {
	select {
	case <-o.ready:
		return o.index.bytes.Load()
	default:
		return 0
	}
}

func (m *Manager) forget(o *opened) {
	if m.open[o.key] == o {
		delete(m.open, o.key)
		m.lru.Remove(o.place)
	}
}

// Forget drops what the manager holds in memory of a tenant, for example after its documents were removed from the
// journal. Operations under way finish on what they have: end the tenant's runs first.
func (m *Manager) Forget(app, tenant string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.open {
		if o.key.App == app && o.key.Tenant == tenant {
			m.forget(o)
		}
	}
}

// OpenIndexes returns how many indexes are in memory, for a gauge.
func (m *Manager) OpenIndexes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.open)
}

// Provider returns a provider for one pipeline of one tenant.
func (m *Manager) Provider(app, tenant, pipeline string) docstore.Provider {
	return provider{m, app, tenant, pipeline}
}

// NewProvider returns a provider for a program that runs one pipeline for itself and keeps nothing: documents are
// partitioned by index, and by component where there is none.
func NewProvider() docstore.Provider {
	return NewManager(nil, Options{}).Provider("local", "local", "local")
}

type provider struct {
	m                     *Manager
	app, tenant, pipeline string
}

func (p provider) Open(ctx context.Context, ref docstore.Ref) (docstore.Store, error) {
	return p.m.Open(ctx, p.app, p.tenant, p.pipeline, ref)
}
