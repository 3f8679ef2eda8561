package component

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/sealed"
)

// Env is all a component can see of the world during one run. The engine fills it; tests make their own. Fields may be
// nil: the methods give a clear error then.
type Env struct {
	Component string // the component's name in the pipeline
	Type      string // its YAML type
	Visit     int    // how often it ran in this run, from 1
	RequestID string

	Secrets SecretResolver
	HTTP    Doer
	Stores  docstore.Provider
	Files   Files
	// Stream takes chunks as they arrive from a model; nil when nobody listens. An error stops the stream.
	Stream func(chunk *chat.StreamingChunk) error
	Log    *slog.Logger
	Now    func() time.Time
	// Ports are what few runs have; nil in the others.
	Ports *Ports
}

// Doer sends HTTP requests through the guarded client; *egress.Client is one.
type Doer interface {
	Do(req *http.Request, creds ...egress.Credential) (*http.Response, error)
}

// Files opens local files that an input names by path. A server's refuses; a laptop's opens.
type Files interface {
	Open(ctx context.Context, path string) (io.ReadCloser, error)
}

// Secret is a secret as a pipeline names it: {"type": "env_var", "env_vars": [...], "strict": ...}
// (haystack.utils.auth.EnvVarSecret). It holds names, never a value.
type Secret struct {
	EnvVars []string
	Strict  bool
}

// IsZero reports whether no secret was configured (None in Python).
func (s Secret) IsZero() bool { return len(s.EnvVars) == 0 }

// SecretRequest asks for a secret in the middle of a run.
type SecretRequest struct {
	Secret    Secret
	Component string // who asks
	Type      string
	Param     string // the init parameter that names the secret, for example "api_key"
	// For is the origin the value will be sent to.
	For sealed.Destination
	// Documented are the hosts that the component's type is known to talk to; a value whose owner named no destination may
	// go there and nowhere else.
	Documented []sealed.Destination
}

// SecretResolver answers for secrets. The value it returns is restricted to destinations that include req.For. When no
// layer has one it returns a zero Value for a lenient secret and, for a strict one, an Invalid fault with Haystack's own
// message ("None of the following authentication environment variables are set: ('A',)").
type SecretResolver interface {
	ResolveSecret(ctx context.Context, req SecretRequest) (sealed.Value, error)
}
