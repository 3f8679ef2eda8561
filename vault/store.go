package vault

import (
	"context"

	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// joinedStore is a store with the documented methods of every room. Those of vault/store have them.
type joinedStore interface {
	driver.Store
	flag.Store
	config.Store
	override.Store
	rotation.Store
}

// join adds the documented methods to a store that has transactions alone.
func join(st driver.Store) joinedStore {
	if whole, ok := st.(joinedStore); ok {
		return whole
	}
	j := joined{st, flag.NewTable(st), config.NewTable(st), override.NewTable(st), rotation.NewTable(st)}
	if w, ok := st.(driver.Watcher); ok {
		return telling{j, w}
	}
	return j
}

type joined struct {
	driver.Store
	*flags
	*configs
	*overrides
	*rotations
}

type (
	flags     = flag.Table
	configs   = config.Table
	overrides = override.Table
	rotations = rotation.Table
)

// telling is a joined store that tells of changes.
type telling struct {
	joined
	driver.Watcher
}

// failing is the store of a vault that could not be made: it returns why.
type failing struct{ err error }

func (f failing) View(context.Context, func(driver.Tx) error) error   { return f.err }
func (f failing) Update(context.Context, func(driver.Tx) error) error { return f.err }
func (f failing) Ping(context.Context) error                          { return f.err }
