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

// Env is all a component can see of the world during one visit. The engine makes it, tests make their own ([NewEnv]). It is
// two pointers to what cannot be changed through it, so that a run costs little for each component, and so that a component
// that keeps one sees its own run and nothing else. Any part may be missing: the methods give a clear error then.
type Env struct {
	at    *Place
	means *Means
}

// Place says who an [Env] is for.
type Place struct {
	Component string // the component's name in the pipeline
	Type      string // its YAML type
	Visit     int    // how often it ran in this run, from 1
}

// Means is what all components of one run are given. Components do not see it: they see an [Env].
type Means struct {
	Secrets SecretResolver
	Doors   *Doors // nil when all are shut
}

// Doors are a run's ways to the world. The zero Doors are shut: nobody listens, and the clock is the machine's.
type Doors struct {
	RequestID string
	HTTP      Doer
	Stores    docstore.Provider
	Files     Files
	// Stream takes chunks as they arrive from a model; nil when nobody listens. An error stops the stream.
	Stream func(at *Place, chunk *chat.StreamingChunk) error
	Log    *slog.Logger
	Now    func() time.Time
	// Ports are what few runs have; nil in the others.
	Ports *Ports
}

// Env returns the environment of one visit. It keeps both m and at: neither may change from then on.
func (m *Means) Env(at *Place) Env { return Env{at: at, means: m} }

// NewEnv returns an environment of its own, for tests and for components that give another one less than they have.
func NewEnv(at Place, secrets SecretResolver, doors Doors) *Env {
	return &Env{at: &at, means: &Means{Secrets: secrets, Doors: &doors}}
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
