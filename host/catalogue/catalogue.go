package catalogue

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"sync"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/pipeline"
)

// Compiler turns a source into a plan. name is the pipeline's name, for positions in errors.
type Compiler func(source, name string) (*pipeline.Plan, error)

// Entry is a deployed version and its plan. It is immutable.
type Entry struct {
	*Deployment
	Plan *pipeline.Plan
}

// Catalogue is the deployed pipelines of all tenants. It is safe for concurrent use.
type Catalogue struct {
	db      *db.DB
	compile Compiler
	cache   cache
	seed    maphash.Seed
	// stripes keep a load from putting an old version into the cache after a deploy has replaced it.
	stripes [64]sync.Mutex
	// told counts what was said about changes, here and in other processes: what was read before the latest is not kept.
	told int64
	mu   sync.Mutex // of told, and of putting into the cache
	stop func()
}

// New returns a catalogue on d, whose [Schema] has been migrated. maxPlans bounds the plans kept compiled; default 4096.
func New(d *db.DB, compile Compiler, maxPlans int) *Catalogue {
	if maxPlans <= 0 {
		maxPlans = 4096
	}
	c := &Catalogue{db: d, compile: compile, seed: maphash.MakeSeed()}
	c.cache.max = int64(maxPlans)
	c.stop = d.Listen(topic, c.changed)
	return c
}

// topic is what other processes hear of: which pipeline changed.
const topic = "catalogue"

// Close ends listening to the database.
func (c *Catalogue) Close() { c.stop() }

// tell is called inside the transaction of a change.
func tell(tx *db.Tx, k key) error {
	b, err := json.Marshal([3]string{k.app, k.tenant, k.name})
	if err == nil {
		tx.Notify(topic, string(b))
	}
	return err
}

// changed drops what is kept of a pipeline that somebody changed, or everything if it cannot be known which.
func (c *Catalogue) changed(m db.Message) {
	var k [3]string
	everything := m.Resync || json.Unmarshal([]byte(m.Body), &k) != nil
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told++
	if everything {
		c.cache.clear()
		return
	}
	c.cache.drop(key{k[0], k[1], k[2]})
}

func (c *Catalogue) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

// keep puts an entry into the cache unless more was told since than this process's own changes.
func (c *Catalogue) keep(k key, e *Entry, told int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told == told {
		c.cache.put(k, e)
	}
}

// Compile checks a source and returns its plan; nothing is stored.
func (c *Catalogue) Compile(source, name string) (*pipeline.Plan, error) {
	return c.compile(source, name)
}

func (c *Catalogue) stripe(k key) *sync.Mutex {
	return &c.stripes[maphash.Comparable(c.seed, k)%uint64(len(c.stripes))]
}

// Get returns what answers for a name. A missing pipeline is NotFound.
func (c *Catalogue) Get(ctx context.Context, app, tenant, name string) (*Entry, error) {
	k := key{app, tenant, name}
	if e := c.cache.get(k); e != nil {
		return e, nil
	}
	mu := c.stripe(k)
	mu.Lock()
	defer mu.Unlock()
	if e := c.cache.get(k); e != nil {
		return e, nil
	}
	told := c.now()
	var d *Deployment
	err := c.db.View(ctx, func(tx *db.Tx) (err error) { d, err = current(ctx, tx, app, tenant, name); return err })
	if err != nil {
		return nil, err
	}
	plan, err := c.compile(d.Source, name)
	if err != nil {
		return nil, err
	}
	e := &Entry{Deployment: d, Plan: plan}
	c.keep(k, e, told)
	return e, nil
}

// List returns a tenant's current deployments in the order of their first deployment, without their sources.
func (c *Catalogue) List(ctx context.Context, app, tenant string) (out []*Deployment, err error) {
	err = c.db.View(ctx, func(tx *db.Tx) error { out, err = list(ctx, tx, app, tenant); return err })
	return out, err
}

// Deploy stores d, whose plan was made by [Catalogue.Compile] from its source, as the next version, and makes it answer.
// also runs in the same transaction, after it, and sees what was stored.
func (c *Catalogue) Deploy(ctx context.Context, d *Deployment, plan *pipeline.Plan, overwrite bool,
	also func(*db.Tx, *Deployment) error) (*Entry, error) {
	k := key{d.App, d.Tenant, d.Name}
	mu := c.stripe(k)
	mu.Lock()
	defer mu.Unlock()
	stored := *d
	stored.Digest = Digest(d.Source)
	told := c.now()
	err := c.db.Update(ctx, func(tx *db.Tx) error {
		if err := put(ctx, tx, &stored, overwrite); err != nil {
			return err
		}
		if err := tell(tx, k); err != nil {
			return err
		}
		return also(tx, &stored)
	})
	if err != nil {
		c.cache.drop(k) // it may have been committed all the same: the database says what answers
		return nil, err
	}
	e := &Entry{Deployment: &stored, Plan: plan}
	c.keep(k, e, told+1) // its own change was told before Update returned
	return e, nil
}

// Undeploy makes a name answer nothing. also runs in the same transaction, after it.
func (c *Catalogue) Undeploy(ctx context.Context, app, tenant, name string, also func(*db.Tx) error) error {
	k := key{app, tenant, name}
	mu := c.stripe(k)
	mu.Lock()
	defer mu.Unlock()
	err := c.db.Update(ctx, func(tx *db.Tx) error {
		if err := remove(ctx, tx, app, tenant, name); err != nil {
			return err
		}
		if err := tell(tx, k); err != nil {
			return err
		}
		return also(tx)
	})
	c.cache.drop(k) // also after an error, which does not always mean that nothing was committed
	return err
}
