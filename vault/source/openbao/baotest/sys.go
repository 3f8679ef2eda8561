package baotest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// namespace holds mounts, ways to log in, and policies of its own.
type namespace struct {
	path     string // "acme/"; "" is the root
	id, uuid string
	mounts   map[string]*mount // by path with its slash
	auths    map[string]*authMount
	policies map[string][]rule
	texts    map[string]string
}

type mount struct {
	path, kind     string
	options        map[string]any
	accessor, uuid string
	kv             *kvStore
	keys           map[string]*transitKey
}

func newNamespace(path string) *namespace {
	n := &namespace{path: path, id: random(3), uuid: newUUID(), mounts: map[string]*mount{}, auths: map[string]*authMount{},
		policies: map[string][]rule{}, texts: map[string]string{}}
	n.policies["default"], _ = parsePolicy(defaultPolicy)
	return n
}

// namespace splits a path into the namespace it is in, named by the header or by the path itself, and the rest.
func (s *Server) namespace(header, path string) (*namespace, string, reply) {
	full := strings.Trim(header, "/")
	if full != "" {
		full += "/"
	}
	ns, found := s.namespaces[full]
	if !found {
		return nil, "", failed(http.StatusNotFound, "namespace not found")
	}
	for {
		first, rest, _ := strings.Cut(path, "/")
		child := s.namespaces[ns.path+first+"/"]
		if first == "" || child == nil || ns.mounts[first+"/"] != nil {
			return ns, path, reply{}
		}
		ns, path = child, rest
	}
}

// mount returns the longest mount above a path.
func (n *namespace) mount(path string) (m *mount, rest string) {
	for at, candidate := range n.mounts {
		if r, found := strings.CutPrefix(path, at); found && (m == nil || len(at) > len(m.path)) {
			m, rest = candidate, r
		}
	}
	return m, rest
}

func (c *call) sys(path string) reply {
	first, rest, _ := strings.Cut(path, "/")
	switch first {
	case "mounts":
		return c.sysMounts(strings.Trim(rest, "/"))
	case "auth":
		return c.sysAuth(strings.Trim(rest, "/"))
	case "policies", "policy":
		return c.sysPolicy(strings.TrimPrefix(rest, "acl/"))
	case "namespaces":
		return c.sysNamespace(strings.Trim(rest, "/"))
	case "wrapping":
		return c.wrapping(rest)
	case "internal":
		if at, found := strings.CutPrefix(rest, "ui/mounts/"); found && c.op == "read" {
			return c.mountInfo(at)
		}
	}
	return failed(http.StatusNotFound, "no handler for route %q. route entry not found.", c.path)
}

func (c *call) sysMounts(path string) reply {
	at := path + "/"
	switch {
	case c.op == "read" && path == "":
		out := map[string]any{}
		for at, m := range c.ns.mounts {
			out[at] = m.info()
		}
		return ok(out)
	case c.op == "write" && c.ns.mounts[at] != nil:
		return bad("path is already in use at %s", at)
	case c.op == "write":
		m := &mount{path: at, kind: text(c.body["type"]), accessor: text(c.body["type"]) + "_" + random(4), uuid: newUUID()}
		m.options, _ = c.body["options"].(map[string]any)
		switch {
		case m.kind == "kv-v2", m.kind == "kv" && text(m.options["version"]) == "2":
			m.kind, m.options = "kv", map[string]any{"version": "2"}
			m.kv = newKV()
		case m.kind == "transit":
			m.keys = map[string]*transitKey{}
		default:
			return bad("plugin not found in the catalog: %s", m.kind)
		}
		c.ns.mounts[at] = m
		return done
	case c.op == "delete":
		delete(c.ns.mounts, at)
		return done
	}
	return unsupported
}

func (m *mount) info() map[string]any {
	var options any
	if m.options != nil {
		options = m.options
	}
	return map[string]any{"accessor": m.accessor, "config": map[string]any{"default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0},
		"deprecation_status": "supported", "description": "", "external_entropy_access": false, "local": false, "options": options, "plugin_version": "",
		"running_plugin_version": "v2.0.0+builtin.bao", "running_sha256": "", "seal_wrap": false, "type": m.kind, "uuid": m.uuid}
}

// mountInfo is for whoever may do anything below the mount.
func (c *call) mountInfo(path string) reply {
	m, _ := c.ns.mount(path + "/")
	if m == nil || !c.anyRuleBelow(m.path) {
		return failed(http.StatusForbidden, "preflight capability check returned 403, please ensure client's policies grant access to path %q", path+"/")
	}
	info := m.info()
	info["path"] = m.path
	return ok(info)
}

func (c *call) sysAuth(path string) reply {
	at := path + "/"
	switch {
	case c.op == "write" && c.ns.auths[at] != nil:
		return bad("path is already in use at %s", at)
	case c.op == "write":
		kind := text(c.body["type"])
		if kind != "approle" && kind != "kubernetes" {
			return bad("plugin not found in the catalog: %s", kind)
		}
		c.ns.auths[at] = &authMount{path: at, kind: kind, roles: map[string]*role{}}
		return done
	case c.op == "delete":
		delete(c.ns.auths, at)
		return done
	}
	return unsupported
}

func (c *call) sysPolicy(name string) reply {
	switch c.op {
	case "write":
		rules, err := parsePolicy(text(c.body["policy"]))
		if err != "" {
			return bad("failed to parse policy: %s", err)
		}
		c.ns.policies[name], c.ns.texts[name] = rules, text(c.body["policy"])
		return done
	case "read":
		if c.ns.policies[name] == nil {
			return notFound
		}
		return ok(map[string]any{"name": name, "policy": c.ns.texts[name]})
	case "delete":
		delete(c.ns.policies, name)
		return done
	case "list":
		return ok(map[string]any{"keys": append(slices.Sorted(maps.Keys(c.ns.policies)), "root")})
	}
	return unsupported
}

func (c *call) sysNamespace(path string) reply {
	full := c.ns.path + path + "/"
	n := c.s.namespaces[full]
	switch c.op {
	case "write":
		if n == nil {
			n = newNamespace(full)
			c.s.namespaces[full] = n
		}
		return ok(n.info())
	case "read":
		if n == nil {
			return notFound
		}
		return ok(n.info())
	case "delete":
		delete(c.s.namespaces, full)
		return done
	case "list":
		var keys []string
		for at := range c.s.namespaces {
			if rest, below := strings.CutPrefix(at, c.ns.path); below && rest != "" && strings.Count(rest, "/") == 1 {
				keys = append(keys, rest)
			}
		}
		if len(keys) == 0 {
			return notFound
		}
		slices.Sort(keys)
		return ok(map[string]any{"keys": keys})
	}
	return unsupported
}

func (n *namespace) info() map[string]any {
	return map[string]any{"custom_metadata": map[string]any{}, "id": n.id, "locked": false, "path": n.path, "tainted": false, "uuid": n.uuid}
}

// wrap is an answer kept for one reader.
type wrap struct {
	rep           reply
	created       time.Time
	ttl           time.Duration
	path          string
	accessor, own string
}

func (c *call) wrapIfAsked(rep reply) reply {
	asked := c.http.Header.Get("X-Vault-Wrap-TTL")
	if asked == "" || rep.status != http.StatusOK || rep.errors != nil || rep.raw != nil {
		return rep
	}
	ttl, valid := duration(asked)
	if !valid || ttl <= 0 {
		return bad("error parsing wrap TTL")
	}
	w := &wrap{rep: rep, created: c.s.now(), ttl: ttl, path: c.path, accessor: random(12), own: "s." + random(12)}
	c.s.wrapped[w.own] = w
	info := map[string]any{"token": w.own, "accessor": w.accessor, "ttl": int64(ttl.Seconds()), "creation_time": stamp(w.created), "creation_path": w.path}
	if rep.auth != nil {
		info["wrapped_accessor"] = rep.auth["accessor"]
	}
	return reply{status: http.StatusOK, raw: envelope(reply{}, "", info)}
}

func (c *call) wrapping(path string) reply {
	id := text(c.body["token"])
	if id == "" && path == "unwrap" {
		id = c.http.Header.Get("X-Vault-Token")
	}
	w := c.s.wrapped[id]
	if w == nil || c.s.now().After(w.created.Add(w.ttl)) {
		return bad("wrapping token is not valid or does not exist")
	}
	switch {
	case path == "unwrap" && c.op == "write":
		delete(c.s.wrapped, id)
		return w.rep
	case path == "lookup" && (c.op == "write" || c.op == "read"):
		return ok(map[string]any{"creation_path": w.path, "creation_time": stamp(w.created), "creation_ttl": int64(w.ttl.Seconds())})
	}
	return unsupported
}
