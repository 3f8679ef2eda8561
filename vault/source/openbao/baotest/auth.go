package baotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxTTL is the system's own bound of a token's life.
const maxTTL = 768 * time.Hour

type token struct {
	id, accessor string
	ns           *namespace
	policies     []string
	created      time.Time
	issued       time.Time
	expires      time.Time // zero: never
	ttl          time.Duration
	max          time.Duration // since it was created
	explicitMax  time.Duration
	period       time.Duration
	renewable    bool
	uses         int // 0: any number
	path         string
	display      string
	kind         string
	meta         map[string]string
	entity       string
	orphan       bool
}

// authMount is a way to log in.
type authMount struct {
	path, kind string
	roles      map[string]*role
}

type role struct {
	name          string
	id            string // AppRole
	policies      []string
	ttl, max      time.Duration
	period        time.Duration
	tokenUses     int
	secretUses    int
	secretTTL     time.Duration
	bindSecret    bool
	bare          bool // without the default policy
	secrets       map[string]*secretID
	names, spaces []string // Kubernetes: bound service accounts
}

type secretID struct {
	accessor string
	uses     int // what is left; 0 with limited: none
	limited  bool
	expires  time.Time
}

// serviceAccount is who a JWT is about.
type serviceAccount struct{ name, namespace string }

// AcceptJWT makes a JWT good for logging in as a Kubernetes service account.
func (s *Server) AcceptJWT(jwt, name, namespace string) {
	s.set(func() { s.jwts[jwt] = serviceAccount{name, namespace} })
}

func (c *call) auth(path string) reply {
	if rest, found := strings.CutPrefix(path, "token/"); found {
		return c.tokens(rest)
	}
	for at, m := range c.ns.auths {
		rest, found := strings.CutPrefix(path, at)
		switch {
		case !found:
		case rest == "login" && c.op == "write":
			return c.login(m)
		case strings.HasPrefix(rest, "role/"), rest == "role":
			return c.roles(m, strings.Trim(strings.TrimPrefix(rest, "role"), "/"))
		case m.kind == "kubernetes" && rest == "config" && c.op == "write":
			return done
		}
	}
	return failed(http.StatusNotFound, "no handler for route %q. route entry not found.", c.path)
}

func (c *call) roles(m *authMount, path string) reply {
	name, rest, _ := strings.Cut(path, "/")
	r := m.roles[name]
	switch {
	case c.op == "list" && path == "":
		if len(m.roles) == 0 {
			return notFound
		}
		return ok(map[string]any{"keys": slices.Sorted(maps.Keys(m.roles))})
	case rest == "" && c.op == "write":
		return c.putRole(m, name)
	case r == nil && rest == "" && c.op == "delete":
		return done
	case r == nil && c.op == "read":
		return notFound
	case r == nil:
		return bad("role %q does not exist", name)
	}
	switch {
	case rest == "" && c.op == "read":
		return ok(map[string]any{"token_policies": r.policies, "token_ttl": seconds(r.ttl), "token_max_ttl": seconds(r.max), "token_period": seconds(r.period),
			"secret_id_num_uses": r.secretUses, "secret_id_ttl": seconds(r.secretTTL), "bind_secret_id": r.bindSecret})
	case rest == "" && c.op == "delete":
		delete(m.roles, name)
		return done
	case rest == "role-id" && c.op == "read":
		return ok(map[string]any{"role_id": r.id})
	case rest == "role-id" && c.op == "write":
		r.id = text(c.body["role_id"])
		return done
	case rest == "secret-id" && c.op == "write":
		return c.newSecretID(r, newUUID())
	case rest == "custom-secret-id" && c.op == "write":
		return c.newSecretID(r, text(c.body["secret_id"]))
	}
	return unsupported
}

func (c *call) putRole(m *authMount, name string) reply {
	r := m.roles[name]
	if r == nil {
		r = &role{name: name, id: newUUID(), bindSecret: true, secrets: map[string]*secretID{}}
	}
	for field, into := range map[string]*time.Duration{"token_ttl": &r.ttl, "token_max_ttl": &r.max, "token_period": &r.period, "secret_id_ttl": &r.secretTTL} {
		if v, given := c.body[field]; given {
			d, valid := duration(v)
			if !valid {
				return bad("error converting input %v for field %q", v, field)
			}
			*into = d
		}
	}
	for field, into := range map[string]*int{"secret_id_num_uses": &r.secretUses, "token_num_uses": &r.tokenUses} {
		if v, given := c.body[field]; given {
			*into = integer(v)
		}
	}
	for field, into := range map[string]*[]string{"token_policies": &r.policies, "policies": &r.policies, "bound_service_account_names": &r.names,
		"bound_service_account_namespaces": &r.spaces} {
		if v, given := c.body[field]; given {
			*into = list(v)
		}
	}
	if v, given := c.body["bind_secret_id"].(bool); given {
		r.bindSecret = v
	}
	if v, given := c.body["token_no_default_policy"].(bool); given {
		r.bare = v
	}
	m.roles[name] = r
	return done
}

func (c *call) newSecretID(r *role, id string) reply {
	sid := &secretID{accessor: newUUID(), uses: r.secretUses, limited: r.secretUses > 0}
	ttl := r.secretTTL
	if v, given := c.body["num_uses"]; given {
		sid.uses, sid.limited = integer(v), integer(v) > 0
	}
	if v, given := c.body["ttl"]; given {
		ttl, _ = duration(v)
	}
	if ttl > 0 {
		sid.expires = c.s.now().Add(ttl)
	}
	r.secrets[id] = sid
	return ok(map[string]any{"secret_id": id, "secret_id_accessor": sid.accessor, "secret_id_num_uses": sid.uses, "secret_id_ttl": seconds(ttl)})
}

func (c *call) login(m *authMount) reply {
	if m.kind == "kubernetes" {
		return c.loginKubernetes(m)
	}
	id, secret := text(c.body["role_id"]), text(c.body["secret_id"])
	if id == "" {
		return bad("missing role_id")
	}
	for _, r := range m.roles {
		if r.id != id {
			continue
		}
		if r.bindSecret {
			if secret == "" {
				return bad("missing secret_id")
			}
			sid := r.secrets[secret]
			if sid == nil || !sid.expires.IsZero() && c.s.now().After(sid.expires) {
				break
			}
			if sid.limited {
				if sid.uses--; sid.uses == 0 {
					delete(r.secrets, secret)
				}
			}
		}
		return c.grant(m, r, "approle", map[string]string{"role_name": r.name})
	}
	return bad("invalid role or secret ID")
}

func (c *call) loginKubernetes(m *authMount) reply {
	name, jwt := text(c.body["role"]), text(c.body["jwt"])
	switch {
	case jwt == "":
		return bad("missing jwt")
	case name == "":
		return bad("missing role")
	}
	r := m.roles[name]
	if r == nil {
		return bad("invalid role name %q", name)
	}
	who, known := c.s.jwts[jwt]
	if !known || !bound(r.names, who.name) || !bound(r.spaces, who.namespace) {
		return denied
	}
	return c.grant(m, r, "kubernetes-"+who.namespace+"-"+who.name, map[string]string{"role": name, "service_account_name": who.name,
		"service_account_namespace": who.namespace})
}

func bound(to []string, name string) bool {
	return slices.Contains(to, "*") || slices.Contains(to, name)
}

// grant makes the token of a login.
func (c *call) grant(m *authMount, r *role, display string, meta map[string]string) reply {
	now := c.s.now()
	t := &token{id: "s." + random(12), accessor: random(12), ns: c.ns, policies: withDefault(r.policies), created: now, issued: now, ttl: r.ttl, max: r.max,
		period: r.period, renewable: true, uses: r.tokenUses, path: "auth/" + m.path + "login", display: display, kind: "service", meta: meta,
		entity: newUUID(), orphan: true}
	if r.bare {
		t.policies = r.policies
	}
	t.start()
	c.s.tokens[t.id] = t
	return reply{status: http.StatusOK, auth: t.auth()}
}

func withDefault(policies []string) []string {
	out := append(slices.Clone(policies), "default")
	slices.Sort(out)
	return slices.Compact(out)
}

// start sets when a new token ends.
func (t *token) start() {
	if t.ttl == 0 {
		t.ttl = maxTTL
	}
	if t.period > 0 {
		t.ttl = t.period
	}
	t.extend(t.created, t.ttl)
	t.ttl = t.expires.Sub(t.created)
}

// extend has a token live for d from now on, as far as its bounds allow.
func (t *token) extend(now time.Time, d time.Duration) {
	if t.period > 0 {
		d = t.period
	}
	most := maxTTL
	if t.max > 0 && t.period == 0 {
		most = min(most, t.max)
	}
	if t.explicitMax > 0 {
		most = min(most, t.explicitMax)
	}
	t.expires = now.Add(d)
	if end := t.created.Add(most); t.expires.After(end) && (t.period == 0 || t.explicitMax > 0) {
		t.expires = end
	}
}

func (t *token) auth() map[string]any {
	return map[string]any{"client_token": t.id, "accessor": t.accessor, "policies": t.policies, "token_policies": t.policies, "metadata": t.meta,
		"lease_duration": t.lease(t.issued), "renewable": t.renewable, "entity_id": t.entity, "token_type": t.kind, "orphan": t.orphan,
		"mfa_requirement": nil, "num_uses": t.uses}
}

func (t *token) lease(now time.Time) int64 {
	if t.expires.IsZero() {
		return 0
	}
	return max(0, int64(t.expires.Sub(now)/time.Second))
}

func (c *call) tokens(path string) reply {
	target := c.token
	if id := text(c.body["token"]); id != "" && !strings.HasSuffix(path, "-self") {
		if target = c.s.tokens[id]; target == nil {
			return failed(http.StatusForbidden, "bad token")
		}
	}
	switch path {
	case "lookup-self", "lookup":
		return ok(target.lookup(c.s.now()))
	case "renew-self", "renew":
		return c.renew(target)
	case "revoke-self", "revoke":
		delete(c.s.tokens, target.id)
		return done
	case "create", "create-orphan":
		return c.createToken()
	}
	return unsupported
}

func (t *token) lookup(now time.Time) map[string]any {
	out := map[string]any{"accessor": t.accessor, "creation_time": t.created.Unix(), "creation_ttl": int64(t.ttl / time.Second), "display_name": t.display,
		"entity_id": t.entity, "expire_time": nil, "explicit_max_ttl": int64(t.explicitMax / time.Second), "id": t.id, "meta": nil, "num_uses": t.uses,
		"orphan": t.orphan, "path": t.path, "policies": t.policies, "ttl": t.lease(now), "type": t.kind}
	if t.meta != nil {
		out["meta"] = t.meta
	}
	if !t.expires.IsZero() {
		out["expire_time"], out["issue_time"], out["renewable"] = stamp(t.expires), stamp(t.created), t.renewable
	}
	if t.period > 0 {
		out["period"] = int64(t.period / time.Second)
	}
	return out
}

func (c *call) renew(t *token) reply {
	if !t.renewable || t.expires.IsZero() {
		return bad("lease is not renewable")
	}
	d := t.ttl
	if v, given := c.body["increment"]; given {
		if asked, valid := duration(v); valid && asked > 0 {
			d = asked
		}
	}
	now := c.s.now()
	t.extend(now, d)
	t.issued = now
	return reply{status: http.StatusOK, auth: t.auth()}
}

func (c *call) createToken() reply {
	now := c.s.now()
	t := &token{id: "s." + random(12), accessor: random(12), ns: c.ns, policies: list(c.body["policies"]), created: now, issued: now, renewable: true,
		path: "auth/token/create", display: "token", kind: "service", uses: integer(c.body["num_uses"])}
	if len(t.policies) == 0 {
		t.policies = c.token.policies
	}
	if v, _ := c.body["no_default_policy"].(bool); !v && !slices.Contains(t.policies, "root") {
		t.policies = withDefault(t.policies)
	}
	if v, given := c.body["renewable"].(bool); given {
		t.renewable = v
	}
	for field, into := range map[string]*time.Duration{"ttl": &t.ttl, "explicit_max_ttl": &t.explicitMax, "period": &t.period} {
		if v, given := c.body[field]; given {
			*into, _ = duration(v)
		}
	}
	if !slices.Contains(t.policies, "root") || t.ttl > 0 {
		t.start()
	}
	c.s.tokens[t.id] = t
	return reply{status: http.StatusOK, auth: t.auth()}
}

func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	}
	return ""
}

func integer(v any) int {
	n, _ := strconv.Atoi(text(v))
	return n
}

func list(v any) (out []string) {
	if s, isText := v.(string); isText {
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
		return out
	}
	items, _ := v.([]any)
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

// duration reads "20s", "20" or 20.
func duration(v any) (time.Duration, bool) {
	s := text(v)
	if s == "" {
		return 0, true
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Duration(n * float64(time.Second)), true
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
