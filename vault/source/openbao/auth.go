package openbao

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Auth is a way to get a token. It is one of [Token], [AppRole] and [Kubernetes].
type Auth interface {
	// login returns a fresh token. again says whether a further call can give another one.
	login(ctx context.Context, w *wire) (*authData, error)
	again() bool
	check() error
}

// Token is a token that somebody else made. It is renewed as long as the server allows; when it has ended, the source cannot
// answer any more.
type Token struct{ Value sealed.Value }

func (t Token) check() error {
	if t.Value.IsZero() {
		return fault.New(fault.Invalid, "the token for OpenBao is empty")
	}
	return nil
}

func (t Token) again() bool { return false }

// login asks the server how long the token lives. One that may not even ask is taken as it is.
func (t Token) login(ctx context.Context, w *wire) (*authData, error) {
	a, err := w.ask(ctx, request{method: "GET", path: "auth/token/lookup-self", token: t.Value})
	if err != nil {
		return nil, err
	}
	var data struct {
		TTL       int64   `json:"ttl"` // whole seconds: 0 in the last one, and for a token that does not end
		Expires   *string `json:"expire_time"`
		Renewable bool    `json:"renewable"`
	}
	if a.status == 200 && json.Unmarshal(a.Data, &data) != nil {
		return nil, fault.New(fault.Failed, "%s says nothing about the token", w.dest)
	}
	if data.Expires == nil {
		return &authData{}, nil
	}
	return &authData{LeaseDuration: max(data.TTL, 1), Renewable: data.Renewable}, nil
}

// AppRole logs in as a machine: https://openbao.org/docs/auth/approle.
type AppRole struct {
	RoleID   sealed.Value
	SecretID sealed.Value // zero for a role that asks for none
	// Wrapped is a wrapping token in place of SecretID. It is looked up first: one that was made for anything but a secret id
	// of this mount is refused, and one that somebody else has opened is an alarm. It is opened once, at the first login.
	Wrapped sealed.Value
	Mount   string // default "approle"

	unwrapped *unwrapped
}

// unwrapped keeps the secret id that came out of a wrapping token.
type unwrapped struct {
	mu sync.Mutex
	id sealed.Value
}

func (r AppRole) check() error {
	switch {
	case r.RoleID.IsZero():
		return fault.New(fault.Invalid, "the role id of the AppRole is empty")
	case !r.SecretID.IsZero() && !r.Wrapped.IsZero():
		return fault.New(fault.Invalid, "the AppRole has a secret id and a wrapped one").WithHint("give one of them")
	}
	_, err := checkPath("mount", r.mount())
	return err
}

func (r AppRole) again() bool { return true }

func (r AppRole) mount() string {
	if m := strings.Trim(r.Mount, "/"); m != "" {
		return m
	}
	return "approle"
}

func (r AppRole) login(ctx context.Context, w *wire) (*authData, error) {
	secret := r.SecretID
	if !r.Wrapped.IsZero() {
		var err error
		if secret, err = r.unwrap(ctx, w); err != nil {
			return nil, err
		}
	}
	body := map[string]sealed.Value{"role_id": r.RoleID}
	if !secret.IsZero() {
		body["secret_id"] = secret
	}
	return w.login(ctx, r.mount(), body, "the role id or the secret id is wrong, or the secret id has been used up or has ended")
}

// unwrap opens the wrapping token, once for ever.
func (r AppRole) unwrap(ctx context.Context, w *wire) (sealed.Value, error) {
	r.unwrapped.mu.Lock()
	defer r.unwrapped.mu.Unlock()
	if !r.unwrapped.id.IsZero() {
		return r.unwrapped.id, nil
	}
	if err := r.checkOrigin(ctx, w); err != nil {
		return sealed.Value{}, err
	}
	a, err := w.ask(ctx, request{method: "POST", path: "sys/wrapping/unwrap", token: r.Wrapped})
	if err != nil {
		return sealed.Value{}, err
	}
	var data struct {
		SecretID string `json:"secret_id"`
	}
	if a.status != 200 || json.Unmarshal(a.Data, &data) != nil || data.SecretID == "" {
		return sealed.Value{}, wrapSpent(w)
	}
	r.unwrapped.id = sealed.NewString(data.SecretID)
	return r.unwrapped.id, nil
}

func wrapSpent(w *wire) error {
	return fault.New(fault.Denied, "the wrapped secret id is not good at %s: it has ended, or somebody has opened it already", w.dest).
		WithCode("WrapSpent").WithHint("if nobody should have opened it, treat the secret id as known to somebody else, and have a new one wrapped")
}

// checkOrigin makes sure that what is wrapped is a secret id of this mount, and not something an attacker wrapped.
func (r AppRole) checkOrigin(ctx context.Context, w *wire) error {
	body, err := w.body(map[string]sealed.Value{"token": r.Wrapped})
	if err != nil {
		return err
	}
	defer clear(body)
	a, err := w.ask(ctx, request{method: "POST", path: "sys/wrapping/lookup", body: body})
	if err != nil {
		return err
	}
	var data struct {
		Path string `json:"creation_path"`
	}
	if a.status != 200 || json.Unmarshal(a.Data, &data) != nil {
		return wrapSpent(w)
	}
	rest, below := strings.CutPrefix(data.Path, "auth/"+r.mount()+"/role/")
	if role, last, _ := strings.Cut(rest, "/"); !below || role == "" || last != "secret-id" && last != "custom-secret-id" {
		return fault.New(fault.Denied, "the wrapping token was not made for a secret id of the AppRole mount %s", r.mount()).WithCode("WrapForeign")
	}
	return nil
}

// Kubernetes logs in as the service account of the pod: https://openbao.org/docs/auth/kubernetes.
type Kubernetes struct {
	Role  string
	File  string // the account's token, read anew at each login; default is where Kubernetes mounts it
	Mount string // default "kubernetes"
}

const podToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

func (k Kubernetes) check() error {
	if k.Role == "" {
		return fault.New(fault.Invalid, "the role for the Kubernetes login is empty")
	}
	_, err := checkPath("mount", k.mount())
	return err
}

func (k Kubernetes) again() bool { return true }

func (k Kubernetes) mount() string {
	if m := strings.Trim(k.Mount, "/"); m != "" {
		return m
	}
	return "kubernetes"
}

func (k Kubernetes) login(ctx context.Context, w *wire) (*authData, error) {
	jwt, err := k.read()
	if err != nil {
		return nil, err
	}
	return w.login(ctx, k.mount(), map[string]sealed.Value{"role": sealed.NewString(k.Role), "jwt": jwt},
		"there is no such role, or it is not for this service account")
}

// maxJWT bounds the file.
const maxJWT = 64 << 10

func (k Kubernetes) read() (sealed.Value, error) {
	path := k.File
	if path == "" {
		path = podToken
	}
	f, err := os.Open(path)
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Unavailable, err, "the service account's token cannot be read").
			WithHint("it is the file %s of the pod", path)
	}
	defer f.Close()
	jwt, err := io.ReadAll(io.LimitReader(f, maxJWT+1))
	if err != nil || len(jwt) > maxJWT || strings.TrimSpace(string(jwt)) == "" {
		return sealed.Value{}, fault.New(fault.Unavailable, "the service account's token in %s is empty, too long or cannot be read", path)
	}
	return sealed.NewString(strings.TrimSpace(string(jwt))), nil
}

// body writes sealed values into JSON, for the server's own origin.
func (w *wire) body(values map[string]sealed.Value) ([]byte, error) {
	plain := map[string]string{}
	for name, v := range values {
		b, err := reveal.For(v.For(w.dest), w.dest)
		if err != nil {
			return nil, err
		}
		plain[name] = string(b)
		clear(b)
	}
	return json.Marshal(plain)
}

// login sends a login; wrong is the likely reason when the server refuses.
func (w *wire) login(ctx context.Context, mount string, values map[string]sealed.Value, wrong string) (*authData, error) {
	body, err := w.body(values)
	if err != nil {
		return nil, err
	}
	defer clear(body)
	r := request{method: "POST", path: "auth/" + escape(mount) + "/login", body: body}
	a, err := w.ask(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case a.status == 400 || a.status == 403:
		return nil, fault.New(fault.Denied, "%s refuses the login at auth/%s", w.dest, mount).WithCode("LoginRefused").WithHint("%s", wrong)
	case a.status != 200:
		return nil, w.refused(a, r)
	case a.Auth == nil || a.Auth.ClientToken == "":
		return nil, fault.New(fault.Failed, "%s answers the login at auth/%s without a token", w.dest, mount).
			WithHint("a login that needs a second factor is not for a machine")
	}
	return a.Auth, nil
}
