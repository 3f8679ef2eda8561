package auth

import "context"

// What is recorded.
const (
	ActionLogin       = "auth.login"        // one per attempt that looked at a password
	ActionLockout     = "auth.lockout"      // the first refusal of a throttle in its window; later ones write nothing
	ActionTokenIssue  = "auth.token.issue"  // Target is the grant
	ActionTokenRevoke = "auth.token.revoke" // Target is the grant
	// ActionPasswordChange is a user's change of the own password; Target is the user.
	ActionPasswordChange = "auth.password.change"
)

// The outcomes of an event.
const (
	OutcomeOK     = "ok"
	OutcomeDenied = "denied"
)

// Event is one thing that happened. It never holds a password, a token, or a name that somebody typed and nobody has:
// people type passwords into the wrong field.
type Event struct {
	Action  string
	Outcome string
	Reason  string // a fixed word, for example "wrong_password"; empty when the outcome is ok
	App     string
	Tenant  string // id; "" when none is involved, as for an operator or an unknown user
	User    string // id; "" for an unknown user
	Target  string // id of what was acted upon; may be empty
	Origin
}

// Origin is where a request came from.
type Origin struct {
	IP        string // the client's address as the door determined it
	UserAgent string // as sent, cut to 256 bytes
	RequestID string
}

// Recorder writes events down. An event is written before its effect leaves the server; if it cannot be written, the
// answer is an error.
type Recorder interface {
	Record(ctx context.Context, e Event) error
}
