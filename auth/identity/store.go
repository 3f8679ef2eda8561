package identity

import (
	"context"
	"errors"
	"time"

	"github.com/haywardhq/hayward/auth/internal/cow"
	"github.com/haywardhq/hayward/auth/internal/news"
	"github.com/haywardhq/hayward/auth/internal/schema"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

// Schema returns the migrations of the auth wing, for [db.DB.Migrate]. It is the same list for all its rooms.
func Schema() db.Schema { return schema.Schema() }

// Options configures [Open]. The zero value of each field is usable.
type Options struct {
	Reserved []string // slugs no tenant may take, besides [Reserved]: the first path segments of the router
}

// Store keeps identities in a database and answers requests from memory. It is safe for concurrent use.
type Store struct {
	db       *db.DB
	reserved map[string]bool
	accounts *cow.Map[key, *Account]
	tenants  *cow.Map[key, *Tenant]
	slugs    *cow.Map[key, string] // (app, slug) -> id
	name     string                // of this process among those on the database
	open     *change               // set inside Together: what this store writes and reads there
}

// key is an id inside an app.
type key struct{ app, id string }

// Open returns a Store over d, which must have been migrated with [Schema], and reads who there is.
func Open(ctx context.Context, d *db.DB, o Options) (*Store, error) {
	s := &Store{db: d, name: newID("mem"), reserved: map[string]bool{}, accounts: cow.New[key, *Account](), tenants: cow.New[key, *Tenant](),
		slugs: cow.New[key, string]()}
	for _, slug := range append(Reserved(), o.Reserved...) {
		s.reserved[slug] = true
	}
	return s, s.Reload(ctx)
}

// Account returns the living user with the given id, also when disabled. It takes no lock and allocates nothing.
func (s *Store) Account(app, user string) (*Account, bool) { return s.accounts.Get(key{app, user}) }

// Tenant returns the living tenant with the given id, also when disabled. It takes no lock and allocates nothing.
func (s *Store) Tenant(app, tenant string) (*Tenant, bool) { return s.tenants.Get(key{app, tenant}) }

// TenantBySlug returns the living tenant of that slug. It takes no lock and allocates nothing.
func (s *Store) TenantBySlug(app, slug string) (*Tenant, bool) {
	id, ok := s.slugs.Get(key{app, slug})
	if !ok {
		return nil, false
	}
	return s.Tenant(app, id)
}

// change is a write transaction that remembers whose memory it makes stale.
type change struct {
	*db.Tx
	users, tenants []key
}

// write runs fn in a write transaction. What fn touched is read back inside the transaction and put into memory between
// commit and acknowledgement: the database runs these steps in the order of its commits, so memory never goes back.
func (s *Store) write(ctx context.Context, fn func(*change) error) error {
	if s.open != nil {
		return fn(s.open)
	}
	stored := false
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		c := &change{Tx: tx}
		if err := fn(c); err != nil {
			return err
		}
		apply, err := s.readBack(ctx, c)
		if err != nil {
			return err
		}
		stored = true
		tx.Notify(topic, s.name)
		tx.AfterCommit(nil, func() error { apply(); return nil })
		return nil
	})
	if err != nil && stored {
		// Commit or acknowledgement failed, perhaps another writer's: memory must say what the disk says.
		return errors.Join(err, s.Reload(context.WithoutCancel(ctx)))
	}
	return err
}

func (s *Store) readBack(ctx context.Context, c *change) (apply func(), err error) {
	accounts, tenants := map[key]*Account{}, map[key]*Tenant{}
	for _, k := range c.users {
		if accounts[k], err = readAccount(ctx, c.Tx, k); err != nil {
			return nil, err
		}
	}
	for _, k := range c.tenants {
		if tenants[k], err = readTenant(ctx, c.Tx, k); err != nil {
			return nil, err
		}
	}
	return func() {
		for k, t := range tenants {
			s.putTenant(k, t)
		}
		for k, a := range accounts {
			if a == nil {
				s.accounts.Delete(k)
			} else {
				s.accounts.Set(k, a)
			}
		}
	}, nil
}

func (s *Store) putTenant(k key, t *Tenant) {
	old, had := s.tenants.Get(k)
	if had && (t == nil || t.Slug != old.Slug) {
		if id, _ := s.slugs.Get(key{k.app, old.Slug}); id == k.id {
			s.slugs.Delete(key{k.app, old.Slug})
		}
	}
	if t == nil {
		s.tenants.Delete(k)
		return
	}
	s.tenants.Set(k, t)
	s.slugs.Set(key{k.app, t.Slug}, t.ID)
}

// topic is what other processes hear of.
const topic = "auth/identity"

// Follow reads everybody again whenever another process on the same database has changed somebody, until ctx ends. Failures
// are told, and made up for.
func (s *Store) Follow(ctx context.Context, failed func(error)) {
	news.Follow(ctx, s.db, topic, s.name, s.Reload, failed)
}

// Reload reads everybody from the database again. It is needed only when something else has written to it.
func (s *Store) Reload(ctx context.Context) error {
	// A write transaction, although it only reads: its place among the writes is what keeps memory from going back.
	return s.db.Update(ctx, func(tx *db.Tx) error {
		accounts, tenants, slugs := map[key]*Account{}, map[key]*Tenant{}, map[key]string{}
		err := queryTenants(ctx, tx, "", nil, func(t *Tenant) {
			tenants[key{t.App, t.ID}], slugs[key{t.App, t.Slug}] = t, t.ID
		})
		if err != nil {
			return err
		}
		err = queryUsers(ctx, tx, "", nil, func(u User) { accounts[key{u.App, u.ID}] = &Account{User: u} })
		if err != nil {
			return err
		}
		err = queryMemberships(ctx, tx, "", nil, func(app, user string, m Membership) {
			if a := accounts[key{app, user}]; a != nil {
				a.memberships = append(a.memberships, m)
			}
		})
		if err != nil {
			return err
		}
		tx.AfterCommit(nil, func() error {
			s.tenants.Replace(tenants)
			s.slugs.Replace(slugs)
			s.accounts.Replace(accounts)
			return nil
		})
		return nil
	})
}

// view runs a read transaction, or reads inside the one that is open.
func (s *Store) view(ctx context.Context, fn func(*db.Tx) error) error {
	if s.open != nil {
		return fn(s.open.Tx)
	}
	return s.db.View(ctx, fn)
}

// Together runs fn, and then also, in one write transaction: everything that fn changes through the store it is given, and
// what also adds to the same transaction, such as the record of it, is kept together or not at all. The given store is good
// until fn returns and for one goroutine. What it answers from memory ([Store.Account], [Store.Tenant], [Store.GetUser]) is
// as it was before. fn must be quick, since nobody else writes meanwhile, and may be run again.
func (s *Store) Together(ctx context.Context, fn func(*Store) error, also func(*db.Tx) error) error {
	return s.write(ctx, func(c *change) error {
		in := *s
		in.open = c
		if err := fn(&in); err != nil {
			return err
		}
		return also(c.Tx)
	})
}

func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }

func noUser() error   { return fault.New(fault.NotFound, "there is no such user") }
func noTenant() error { return fault.New(fault.NotFound, "there is no such tenant") }
func noApp() error    { return fault.New(fault.NotFound, "there is no such app") }

// named refuses an empty app or tenant: a missing one is never "all" or "the only one".
func named(app string, more ...string) error {
	for _, id := range append(more, app) {
		if id == "" {
			return fault.New(fault.Invalid, "an app, tenant or user id is missing")
		}
	}
	return nil
}
