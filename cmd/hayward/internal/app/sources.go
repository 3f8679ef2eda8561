package app

import (
	"errors"
	"time"

	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/source/awssm"
	"github.com/haywardhq/hayward/vault/source/openbao"
)

// Sources are the stores of secrets outside the vault, asked in this order; a nil or empty one is none. A template makes paths
// of app, tenant and name, see source.NewTenants; "" is its default.
type Sources struct {
	OpenBao         *openbao.Options
	OpenBaoTemplate string
	AWS             *awssm.Options
	AWSTemplate     string
	Dir             string // of files
	DirTemplate     string
	// Shared says where values that the operator shares may go, by name, where a source keeps no metadata.
	Shared map[string][]sealed.Destination
	Cache  time.Duration // how long a value is served without asking again; default 1 min
}

// far is a source with its template.
type far struct {
	source.Source
	template string
	err      error
}

// openSources makes the sources; they ask nobody before a run needs a secret.
func (a *App) openSources() (out []host.SecretSource, err error) {
	s := a.settings.Sources
	for _, f := range s.list(a) {
		if f.err == nil {
			near := source.NewCache(source.NewBreaker(source.Measured(f.Source, a.settings.metrics.all()), source.BreakerOptions{}), source.CacheOptions{TTL: s.Cache})
			a.sources = append(a.sources, near)
			var tenants *source.Tenants
			tenants, f.err = source.NewTenants(near, f.template)
			// Paths are made of ids, and the app's is shown nowhere else; tenants' are in their list.
			a.log.Info("a source of secrets is asked after the vault", "source", near.Name(), "app", a.AppID)
			out = append(out, host.SecretSource{Name: near.Name(), Tenants: tenants, Shared: s.Shared})
		}
		err = errors.Join(err, f.err)
	}
	return out, err
}

func (s Sources) list(a *App) (out []far) {
	if s.OpenBao != nil {
		o := *s.OpenBao
		o.Logger = a.log
		src, err := openbao.New(o)
		out = append(out, far{src, s.OpenBaoTemplate, err})
	}
	if s.AWS != nil {
		o := *s.AWS
		o.Logger = a.log
		src, err := awssm.New(o)
		out = append(out, far{src, s.AWSTemplate, err})
	}
	if s.Dir != "" {
		src, err := source.NewFile(s.Dir, source.WithName("files"), source.WithTrimNewline(), source.WithLogger(a.log))
		out = append(out, far{src, s.DirTemplate, err})
	}
	return out
}

// closeSources closes what openSources made.
func (a *App) closeSources() error {
	var errs []error
	for _, s := range a.sources {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
