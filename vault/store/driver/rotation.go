package driver

import (
	"context"

	"github.com/haywardhq/hayward/fault"
)

// RotationPolicyRow says how and when one secret is rotated.
type RotationPolicyRow struct {
	App, Tenant, Name string // Name is the secret's
	ID                string
	Definition        string // JSON: rotator, parameters, windows and whatever else a run is told
	Interval          int64  // microseconds between the end of one rotation and the next
	Enabled           bool
	LastAt            int64 // microseconds since 1970; 0 never
	NextAt            int64 // when the next rotation is due
	CreatedAt         int64
	UpdatedAt         int64
	CreatedBy         string // the user id
}

// RotationRow is where the rotation of one secret stands, and who has it in hand. There is one row per secret that was ever
// rotated; it outlives policies, so that no fencing token is used twice.
type RotationRow struct {
	App, Tenant, Name string
	State             string // a word of the room rotation; "" when nothing is under way
	DueAt             int64  // when somebody must look at it, in microseconds since 1970; 0 never

	RunID      string // names the run, and is the idempotency token of its steps
	Definition string // the policy's, as it was when the run began
	Actor      string // the user id of who asked for the run
	OldVersion int64  // the version served when the run began
	NewVersion int64  // the version the run staged; 0 before
	Attempt    int64  // failures of the step that is due
	StartedAt  int64
	WakeAt     int64  // when the next step may begin
	Failure    string // JSON: what the last failure was; "" none
	Unserved   int64  // the last version that a run staged for a secret without a value and gave up; 0 none

	Holder  string // who has the lease; "" nobody
	LeaseAt int64  // when the lease ends, by the store's clock
	Fence   int64  // rises with each lease that is given

	UpdatedAt int64
}

// RotationRecordRow is what became of one attempt.
type RotationRecordRow struct {
	App, Tenant, Name string
	Seq               int64 // 1, 2, 3 ... per secret
	ID                string
	RunID             string
	Outcome           string
	Step              string
	OldVersion        int64
	NewVersion        int64
	Attempt           int64
	Details           string // JSON
	At                int64  // microseconds since 1970
	By                string // the user id
}

// RotationDue is the place of a row in the order of [Rotations.DueRotationsEverywhere].
type RotationDue struct {
	At                int64
	App, Tenant, Name string
}

// Rotations keeps policies, the state of each rotation, and what became of them. A write of a state carries the fencing
// token of the lease it was made under, and is refused when another lease was given since.
type Rotations interface {
	// RotationPolicy returns one policy, or [ErrNotFound].
	RotationPolicy(ctx context.Context, app, tenant, name string) (RotationPolicyRow, error)
	// PutRotationPolicy writes a policy, replacing the one there was.
	PutRotationPolicy(ctx context.Context, row RotationPolicyRow) error
	// DeleteRotationPolicy removes a policy, if there is one.
	DeleteRotationPolicy(ctx context.Context, app, tenant, name string) error
	// ListRotationPolicies returns up to limit policies of one tenant, of secrets after the given name, in byte order.
	ListRotationPolicies(ctx context.Context, app, tenant, after string, limit int) ([]RotationPolicyRow, error)
	// ListRotationPoliciesEveryTenant returns up to limit policies of an app after the given tenant and name, in that order.
	ListRotationPoliciesEveryTenant(ctx context.Context, app, afterTenant, afterName string, limit int) ([]RotationPolicyRow, error)

	// Rotation returns where a rotation stands, or [ErrNotFound].
	Rotation(ctx context.Context, app, tenant, name string) (RotationRow, error)
	// AddRotation makes an empty row, if there is none.
	AddRotation(ctx context.Context, app, tenant, name string) error
	// ScheduleRotation moves the time at which somebody must look at a row, and nothing else. It needs no lease. While the
	// row is not changed by others it is read: the caller's transaction holds it from here on.
	ScheduleRotation(ctx context.Context, app, tenant, name string, dueAt int64) error
	// ClaimRotation gives the lease of a row to holder until a time by the store's clock, and raises the fencing token. It
	// reports false if there is no row or somebody's lease has not ended.
	ClaimRotation(ctx context.Context, app, tenant, name, holder string, until int64) (RotationRow, bool, error)
	// ExtendRotation moves the end of a lease. It fails with [StaleFence] if the lease was given to somebody since, or given
	// back.
	ExtendRotation(ctx context.Context, app, tenant, name string, fence, until int64) error
	// PutRotation writes everything of a row but its key and fencing token; an empty Holder gives the lease back. It fails
	// with [StaleFence] if the token is another by now, or nobody has the lease.
	PutRotation(ctx context.Context, row RotationRow) error
	// DueRotationsEverywhere returns up to limit rows, of any app and tenant, that are due and that nobody has in hand,
	// after the given place, by the time they are due and then by their key.
	DueRotationsEverywhere(ctx context.Context, after RotationDue, limit int) ([]RotationRow, error)

	// AddRotationRecord writes a record that must not exist yet (Conflict).
	AddRotationRecord(ctx context.Context, row RotationRecordRow) error
	// ListRotationRecords returns up to limit records of one secret, newest first, with numbers below the given one; 0 means
	// from the newest.
	ListRotationRecords(ctx context.Context, app, tenant, name string, below int64, limit int) ([]RotationRecordRow, error)
	// DeleteRotationRecords removes the records of a secret up to and including a number.
	DeleteRotationRecords(ctx context.Context, app, tenant, name string, upTo int64) error
}

// StaleFence is the refusal of a write under a lease that somebody else has been given since.
func StaleFence(name string) error {
	return fault.New(fault.Conflict, "the rotation of %s is in other hands by now: a lease with a later fencing token was given", name).
		WithCode("StaleFence")
}
