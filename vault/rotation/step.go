package rotation

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// step reads what a step is about.
func (h *hand) step(ctx context.Context) (Step, error) {
	s := Step{App: h.owner.app, Tenant: h.owner.tenant, SecretKey: h.key, Token: h.row.RunID, Attempt: int(h.row.Attempt), Params: h.def.Params,
		Secret: h.open}
	err := h.m.st.View(ctx, func(tx driver.Tx) (err error) {
		if s.CurrentVersion, err = h.served(ctx, tx); err != nil {
			return err
		}
		read := h.m.secrets.ReadVersion
		if s.CurrentVersion != 0 {
			if s.Current, err = read(ctx, tx, h.secretOwner(), h.key, s.CurrentVersion); err != nil {
				return err
			}
		}
		switch h.row.State {
		case pending, changed, tested:
			s.PendingVersion = h.row.NewVersion
			s.Pending, err = read(ctx, tx, h.secretOwner(), h.key, s.PendingVersion)
		case current:
			s.PreviousVersion = h.row.OldVersion
			if s.Previous, err = read(ctx, tx, h.secretOwner(), h.key, s.PreviousVersion); errors.Is(err, base.ErrSecretNotFound) {
				err = nil // somebody destroyed it before its time
			}
		}
		return err
	})
	return s, err
}

// open is [Step.Secret].
func (h *hand) open(ctx context.Context, name string) (v sealed.Value, err error) {
	sec, err := h.m.secrets.Lookup(ctx, h.entry, name)
	if err == nil && sec.Shared {
		// What every tenant shares would work for one tenant on what belongs to another.
		err = fault.Wrap(fault.NotFound, base.ErrSecretNotFound, "there is no secret %s of this tenant", name).WithCode("SecretNotFound").
			WithHint("a rotation opens the tenant's own secrets only, not shared ones")
	}
	if err != nil {
		return v, err
	}
	h.entry.Note(audit.Detail{Key: "opened", Value: name}, audit.Detail{Key: "opened.version", Value: strconv.FormatInt(sec.Version, 10)})
	return sec.Value, nil
}

// call runs a step of the rotator: inside the tenant's scope, with a deadline, and never longer than it and a little.
func (h *hand) call(ctx context.Context, s Step, fn func(context.Context, Step) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, h.m.stepTimeout, errStepTimeout)
	defer cancel()
	ctx = scope.WithCaller(ctx, scope.Caller{App: h.owner.app, Tenant: h.owner.tenant, User: Actor, RequestID: scope.RequestID(ctx)})
	done := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil { // what it holds may be a value
				done <- fault.New(fault.Failed, "the rotator of %s panicked", h.key).WithCode("RotatorPanic")
			}
		}()
		done <- fn(ctx, s)
	}()
	select {
	case err := <-done:
		return h.because(ctx, err)
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return h.because(ctx, err)
	case <-time.After(min(h.m.lease, h.m.stepTimeout)): // it does not listen to its context
		return h.because(ctx, ctx.Err())
	}
}

var errStepTimeout = fault.New(fault.Timeout, "the rotator did not end in time").WithCode("StepTimeout")

// because replaces an error that only says that the context is over by why it is.
func (h *hand) because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return err
}
