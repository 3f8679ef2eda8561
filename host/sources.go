package host

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source"
)

// SecretSource is a store of secrets outside the vault, divided among tenants.
type SecretSource struct {
	Name    string // in the audit, in explanations and in errors
	Tenants *source.Tenants
	// Shared says where values that the operator shares may go, by name, besides what their own metadata says.
	Shared map[string][]sealed.Destination
}

// DestinationsKey is the metadata of a value that names its destinations: origins between commas or spaces.
const DestinationsKey = "destinations"

// sourcePart is one place of one source: a tenant's own, or what is shared.
type sourcePart struct {
	of     SecretSource
	shared bool
}

// layer is the part's name in the audit.
func (p sourcePart) layer() string {
	if p.shared {
		return "shared part of " + p.of.Name
	}
	return "tenant's part of " + p.of.Name
}

func (p sourcePart) mayChange() string {
	if p.shared {
		return "the server's operator"
	}
	return "whoever writes the tenant's secrets in " + p.of.Name
}

// sourceParts lists the parts in the order they are asked: whatever belongs to a tenant goes before all that is shared, as in
// the vault.
func sourceParts(list []SecretSource) (out []sourcePart) {
	for _, shared := range []bool{false, true} {
		for _, s := range list {
			out = append(out, sourcePart{s, shared})
		}
	}
	return out
}

// get asks the part. A value that is not there is the zero Found; any other failure is an error, which ends the search:
// what stands behind may be an older or a foreign value.
func (p sourcePart) get(ctx context.Context, app, tenant, name string) (sealed.Value, error) {
	src, err := p.open(app, tenant)
	if err != nil {
		return sealed.Value{}, err
	}
	v, err := src.Get(ctx, name)
	switch {
	case errors.Is(err, source.ErrKeyNotFound):
		return sealed.Value{}, nil
	case err != nil:
		return sealed.Value{}, p.failed(name, err)
	case v.ExpiresAt != nil && !time.Now().Before(*v.ExpiresAt):
		return sealed.Value{}, fault.New(fault.Conflict, "the secret %s in the %s has expired", name, p.layer()).WithCode("SecretExpired").
			WithHint("%s can set it again", p.mayChange())
	}
	return p.released(name, v)
}

func (p sourcePart) open(app, tenant string) (source.Source, error) {
	if p.shared {
		return p.of.Tenants.Shared(app)
	}
	return p.of.Tenants.For(app, tenant)
}

// failed hides what the source said from the tenant who asks: it may name the operator's paths. That the server itself was
// refused says nothing about what the caller may do.
func (p sourcePart) failed(name string, err error) error {
	kind := fault.KindOf(err)
	switch kind {
	case fault.Canceled, fault.Timeout, fault.Limited:
	default:
		kind = fault.Unavailable
	}
	return fault.Wrap(kind, err, "the %s could not say whether it has the secret %s", p.layer(), name).WithCode("SecretSource").
		WithHint("the server's log says why; nothing else is asked in its place, since that might be an older value")
}

// released is the value with its destinations. A tenant's own without any goes to the documented host of the component that
// asks; a shared one without any goes nowhere (decision 7).
func (p sourcePart) released(name string, v *source.Value) (sealed.Value, error) {
	dests, decided := v.Raw.Destinations()
	more, err := parseDestinations(v.Metadata[DestinationsKey])
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Unavailable, err, "the destinations of the secret %s in the %s cannot be read", name, p.layer()).
			WithCode("SecretSource").WithHint("%s can correct the metadata %q: origins between commas", p.mayChange(), DestinationsKey)
	}
	dests = append(dests, more...)
	if p.shared {
		dests = append(dests, p.of.Shared[name]...)
	}
	if decided || p.shared || len(dests) > 0 {
		return v.Raw.For(dests...), nil
	}
	return v.Raw, nil
}

func parseDestinations(text string) (out []sealed.Destination, err error) {
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := sealed.ParseDestination(item)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// fromSources asks every part in turn.
func fromSources(ctx context.Context, list []SecretSource, app, tenant, name string, log *slog.Logger) (pipeline.Found, error) {
	var tried []string
	for _, p := range sourceParts(list) {
		tried = append(tried, p.layer())
		v, err := p.get(ctx, app, tenant, name)
		if err != nil {
			log.WarnContext(ctx, "a source of secrets failed, and with it a run", "source", p.of.Name, "error", err, "cause", errors.Unwrap(err))
			return pipeline.Found{}, err
		}
		if !v.IsZero() {
			return pipeline.Found{Value: v, Layer: p.layer(), Tried: tried, MayChange: p.mayChange()}, nil
		}
	}
	return pipeline.Found{Tried: tried}, nil
}

// sourceAnswers says what each part would answer. After the answer, or after a part that cannot say, none is asked.
func (h *Host) sourceAnswers(ctx context.Context, app, tenant, name, answer string) (out []LayerAnswer, by string, ended bool) {
	by = answer
	for _, p := range sourceParts(h.c.Sources) {
		a := LayerAnswer{Layer: p.layer(), Why: "there is no such secret"}
		switch {
		case by != "":
			a.Why = "not asked: the " + by + " answers"
		case ended:
			a.Why = "not asked: one before it cannot say"
		case unnameable(name):
			a.Why = "no secret can have this name"
		default:
			v, err := p.get(ctx, app, tenant, name)
			if err != nil {
				a.Why, ended = fault.From(err).Message+"; a run ends here", true
			} else if !v.IsZero() {
				dests, decided := v.Destinations()
				by, a.Found, a.Why = a.Layer, true, goesTo(dests)
				if decided && len(dests) == 0 {
					a.Why = "it may go nowhere: a shared secret must name its destinations"
				}
			}
		}
		out = append(out, a)
	}
	return out, by, ended
}
