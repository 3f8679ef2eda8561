package app

import (
	"context"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// destroyDeleted destroys deleted versions of secrets whose recovery window is over, of every tenant and of what is shared. A
// write of the same secret does it as well; this is for those that nobody writes any more.
func (a *App) destroyDeleted(ctx context.Context) error {
	if err := a.destroyDeletedOf(ctx, driver.Shared); err != nil {
		return err
	}
	for page := (identity.Page{Limit: 1000}); ; {
		list, err := a.Auth.Identity.ListTenants(ctx, a.AppID, page)
		if err != nil {
			return err
		}
		for _, t := range list {
			if err := a.destroyDeletedOf(ctx, t.ID); err != nil {
				return err
			}
			page.After = t.ID
		}
		if len(list) < page.Limit {
			return nil
		}
	}
}

// sweepBatch is how many secrets one transaction looks at.
const sweepBatch = 100

func (a *App) destroyDeletedOf(ctx context.Context, tenant string) error {
	for {
		names, err := a.Secrets.Sweep(ctx, a.AppID, tenant, sweepBatch)
		if err != nil || len(names) < sweepBatch {
			return err
		}
	}
}
