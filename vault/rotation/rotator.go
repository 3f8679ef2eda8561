package rotation

import (
	"context"
	"encoding/json"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Rotator returns the value that follows the current one. It is the simple form, for a value that nobody but the vault has to
// know: its result is kept only once it has returned, so that it must change nothing outside, and it may be called again
// for one rotation. What changes something outside is [Staged]. current is a copy that it may keep.
type Rotator func(ctx context.Context, current []byte) ([]byte, error)

// Staged is a rotator in steps. Each may be repeated after a crash or a failure, in another process too, always with the same
// Step.Token: repeating one must have the effect of doing it once. The context has the policy's app and tenant in its scope
// and a deadline (see [WithStepTimeout]), and is cancelled when somebody else takes over. A step must not use the vault's
// store. Errors go into the history: they must not quote a value.
type Staged interface {
	// Create returns the next value and changes nothing outside. It may be called again until its result is staged.
	Create(ctx context.Context, s Step) (sealed.Value, error)
	// Set makes the world outside accept the pending value. The current one must go on working until Retire.
	Set(ctx context.Context, s Step) error
	// Test fails unless the pending value works.
	Test(ctx context.Context, s Step) error
}

// Retirer is a [Staged] that has something to do when the grace period of the former value is over: then the former is in
// Step.Previous, and the value served is Step.Current. Without it a rotation ends when the new value is served.
type Retirer interface {
	Retire(ctx context.Context, s Step) error
}

// Initial is a [Staged] that can make the first value of a secret that has none. Others fail then: a rotation replaces.
type Initial interface {
	Initial() bool
}

// Checker is a [Staged] that has parameters. CheckParams refuses what it cannot work with, when a policy is set.
type Checker interface {
	CheckParams(params json.RawMessage) error
}

// Step is what a step is about.
type Step struct {
	App, Tenant, SecretKey string

	Token   string          // the idempotency token: one for the whole run, in the store before its first step begins
	Attempt int             // how often this step failed before
	Params  json.RawMessage // the policy's parameters, as they were when the run began

	CurrentVersion, PendingVersion, PreviousVersion int64
	Current                                         sealed.Value // the value served; zero if there is none
	Pending                                         sealed.Value // the value staged; zero in Create and Retire
	Previous                                        sealed.Value // in Retire: the former value; zero if it is gone already

	// Secret opens another secret of the tenant itself, such as an administrator's password; never one that the app shares.
	// What was opened is recorded with the run.
	Secret func(ctx context.Context, name string) (sealed.Value, error)
}

// simple is a [Rotator] as the first of the steps, without the others.
type simple struct{ fn Rotator }

func (r simple) Create(ctx context.Context, s Step) (sealed.Value, error) {
	next, err := r.fn(ctx, reveal.Inside(s.Current))
	if err != nil {
		return sealed.Value{}, err
	}
	if len(next) == 0 {
		return sealed.Value{}, fault.New(fault.Failed, "the rotator returned an empty value").WithCode("EmptyValue")
	}
	return sealed.New(next), nil
}

func (simple) Set(context.Context, Step) error  { return nil }
func (simple) Test(context.Context, Step) error { return nil }
