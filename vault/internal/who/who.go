package who

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Of returns the caller with the app a call is about: the argument, else the service's own, else the scope's. They may not
// disagree. The tenant may be missing; the app may not.
func Of(ctx context.Context, arg, own string) (c scope.Caller, err error) {
	err = Into(&c, ctx, arg, own)
	return c, err
}

// Into is [Of] for hot paths: it fills in a caller that is there already.
func Into(c *scope.Caller, ctx context.Context, arg, own string) (err error) {
	if *c, err = scope.Lenient(ctx); err != nil {
		return err
	}
	if (arg == "" || arg == c.App) && (own == "" || own == c.App) && c.App != "" {
		return nil
	}
	*c, err = settle(*c, arg, own)
	return err
}

// Borrow is [Of] without a copy where that is possible. The caller must not be changed.
func Borrow(ctx context.Context, arg, own string) (*scope.Caller, error) {
	c, err := scope.Borrow(ctx)
	if err != nil {
		return c, err
	}
	if (arg == "" || arg == c.App) && (own == "" || own == c.App) && c.App != "" {
		return c, nil
	}
	settled, err := settle(*c, arg, own)
	return &settled, err
}

func settle(c scope.Caller, arg, own string) (scope.Caller, error) {
	in := c.App
	for _, app := range [...]string{own, arg} {
		if app == "" || app == c.App {
			continue
		}
		if in != "" {
			return c, fault.New(fault.Invalid, "this call is about the app %s, but the app in scope is another", audit.Display(app)).
				WithCode("scope").WithHint("set the scope once, at the door, with scope.WithScope")
		}
		c.App = app
	}
	return c, driver.App(c.App)
}

// Owner checks the app and, if there is one, the tenant of a caller before anything is read or written for them.
func Owner(c scope.Caller) error {
	if c.Tenant == "" {
		return driver.App(c.App)
	}
	return driver.Owner(c.App, c.Tenant)
}

// Quiet keeps an error reachable for errors.Is and errors.As, and out of the text: what a database says is for its log.
func Quiet(err error) error { return quiet{err} }

type quiet struct{ err error }

func (q quiet) Error() string { return "" }
func (q quiet) Unwrap() error { return q.err }

// Unread is an error for a store that could not be read: faults stay as they are, anything else keeps its text inside.
func Unread(err error, what, name string) error {
	f := fault.From(err)
	if f.Kind == fault.Internal && f.Cause == err {
		return fault.Wrap(fault.Unavailable, Quiet(err), "the %s %s could not be read", what, audit.Display(name))
	}
	return err
}
