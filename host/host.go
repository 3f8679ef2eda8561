package host

import (
	"context"
	"log/slog"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/catalogue"
	"github.com/haywardhq/hayward/host/session"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Vault answers for secrets inside an action that is audited as a whole: the run that asks names every secret, layer and
// destination in its second entry. *secret.Service is one.
type Vault interface {
	// Lookup returns the tenant's entry of a name, else the entry an operator shared with the app; NotFound for neither.
	Lookup(ctx context.Context, under *audit.Pending, name string) (*secret.Secret, error)
	// LookupMeta is Lookup without opening the value.
	LookupMeta(ctx context.Context, under *audit.Pending, name string) (*secret.Meta, error)
}

// Stores opens the document stores of a tenant's pipeline.
type Stores interface {
	Provider(app, tenant, pipeline string) docstore.Provider
}

// Config is what a host is made of. Every field is needed unless it says otherwise.
type Config struct {
	DB       *db.DB
	Gate     audit.Gate
	Roles    Roles
	Vault    Vault
	Registry *component.Registry
	HTTP     component.Doer
	Stores   Stores
	// InTx joins the vault's store to a transaction of the database, so that a deploy and its audit entry are one write.
	InTx func(*db.Tx) driver.Tx
	// Sources are asked after the vault, in this order.
	Sources []SecretSource
	// Environment is asked after the vault and the sources; nil asks nothing.
	Environment pipeline.Resolver
	// Flags answers for the flags that components look at; nil has none.
	Flags *flag.Service
	// Sessions keeps conversations; nil keeps none.
	Sessions Sessions
	// Prices turns tokens into money; nil counts tokens only.
	Prices pipeline.Prices
	// Tracing is where spans go; without a tracer there are none.
	Tracing Tracing
	// Concurrency is how many components of one run may run at once; 1, the default, is Haystack's sequential order.
	Concurrency int
	// Reserved are names no pipeline may have: the first path segments of the server's routes.
	Reserved []string
	Log      *slog.Logger

	RunTimeout time.Duration // longest run; default 5 min
	MaxRuns    int           // runs at the same time in the process; default 256
	MaxPerApp  int           // plans kept compiled; default 4096
	MaxTenant  int           // runs at the same time of one tenant; default 64
	MaxSource  int           // bytes of a pipeline file; default 1 MiB
}

// Host deploys and runs pipelines for many tenants. It is safe for concurrent use.
type Host struct {
	c         Config
	catalogue *catalogue.Catalogue
	slots     *slots
	reserved  map[string]bool
}

// New returns a host. The database must have [Schemas] migrated.
func New(c Config) *Host {
	def := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	def(&c.MaxRuns, 256)
	def(&c.MaxTenant, 64)
	def(&c.MaxSource, 1<<20)
	if c.RunTimeout <= 0 {
		c.RunTimeout = 5 * time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{c: c, slots: newSlots(c.MaxRuns, c.MaxTenant), reserved: map[string]bool{}}
	for _, r := range c.Reserved {
		h.reserved[r] = true
	}
	h.catalogue = catalogue.New(c.DB, h.compile, c.MaxPerApp)
	return h
}

// Schemas are the tables of the host.
func Schemas() []db.Schema { return []db.Schema{catalogue.Schema(), session.Schema()} }

func (h *Host) compile(source, name string) (*pipeline.Plan, error) {
	return pipeline.Load([]byte(source), name, h.c.Registry, pipeline.LoadOptions{})
}

// enter is the first line of every service method: who asks, may he, and it is written down before anything happens.
func (h *Host) enter(ctx context.Context, action, name string, details ...audit.Detail) (scope.Caller, *audit.Pending, error) {
	c, err := scope.Strict(ctx)
	if err != nil {
		return c, nil, err
	}
	entry, err := h.c.Gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "pipeline", Name: name, Details: details})
	return c, entry, err
}

// may asks for a further permission of a caller who is inside already.
func (h *Host) may(c scope.Caller, action policy.Action) error {
	return decide(h.c.Roles, c, action, false)
}

// finish writes the second audit entry and gives err back; if the entry cannot be written, that is the error.
func finish(ctx context.Context, entry *audit.Pending, err error) error {
	if f := fault.From(err); f != nil && f.Kind == fault.Internal {
		entry.Note(audit.Detail{Key: "internal", Value: "true"})
	}
	return entry.EndErr(ctx, err)
}
