package baotest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// rule is one path of a policy.
type rule struct {
	path string
	caps []string
}

const defaultPolicy = `
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self"  { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/wrapping/wrap"      { capabilities = ["update"] }
path "sys/wrapping/lookup"    { capabilities = ["update"] }
path "sys/wrapping/unwrap"    { capabilities = ["update"] }`

var (
	block    = regexp.MustCompile(`path\s+"([^"]*)"\s*\{([^{}]*)\}`)
	caps     = regexp.MustCompile(`capabilities\s*=\s*\[([^\]]*)\]`)
	quoted   = regexp.MustCompile(`"([^"]*)"`)
	comments = regexp.MustCompile(`(?m)(#|//).*$`)
)

// parsePolicy reads the part of HCL that policies are written in, or JSON.
func parsePolicy(source string) (rules []rule, err string) {
	var asJSON struct {
		Path map[string]struct {
			Capabilities []string `json:"capabilities"`
		} `json:"path"`
	}
	if json.Unmarshal([]byte(source), &asJSON) == nil {
		for path, p := range asJSON.Path {
			rules = append(rules, rule{path, p.Capabilities})
		}
		return rules, ""
	}
	plain := comments.ReplaceAllString(source, "")
	for _, m := range block.FindAllStringSubmatch(plain, -1) {
		r := rule{path: m[1]}
		for _, c := range caps.FindAllStringSubmatch(m[2], -1) {
			for _, q := range quoted.FindAllStringSubmatch(c[1], -1) {
				r.caps = append(r.caps, q[1])
			}
		}
		rules = append(rules, r)
	}
	if strings.TrimSpace(block.ReplaceAllString(plain, "")) != "" {
		return nil, "something is no path block"
	}
	return rules, ""
}

// authorize finds the token and asks its policies.
func (c *call) authorize() reply {
	if c.isLogin() || c.path == "sys/wrapping/lookup" || c.path == "sys/wrapping/unwrap" {
		return reply{}
	}
	id := c.http.Header.Get("X-Vault-Token")
	if id == "" {
		id, _ = strings.CutPrefix(c.http.Header.Get("Authorization"), "Bearer ")
	}
	t := c.s.tokens[id]
	if t == nil || !t.expires.IsZero() && !c.s.now().Before(t.expires) {
		delete(c.s.tokens, id)
		return denied
	}
	c.token = t
	full := c.ns.path + c.path
	if t.ns != nil {
		below, inside := strings.CutPrefix(full, t.ns.path)
		if !inside {
			return denied
		}
		full = below
	}
	if !c.allowed(full) {
		return deniedByRule
	}
	if t.uses > 0 {
		if t.uses--; t.uses == 0 {
			delete(c.s.tokens, id)
		}
	}
	return reply{}
}

func (c *call) isLogin() bool {
	return c.op == "write" && strings.HasPrefix(c.path, "auth/") && strings.HasSuffix(c.path, "/login")
}

func (c *call) policies() (rules []rule, root bool) {
	home := c.token.ns
	if home == nil {
		home = c.s.namespaces[""]
	}
	for _, name := range c.token.policies {
		if name == "root" {
			return nil, true
		}
		rules = append(rules, home.policies[name]...)
	}
	return rules, false
}

func (c *call) anyRuleBelow(mount string) bool {
	rules, root := c.policies()
	return root || slices.ContainsFunc(rules, func(r rule) bool {
		return strings.HasPrefix(r.path, c.ns.path+mount) || matches(r.path, c.ns.path+mount)
	})
}

// allowed asks the most specific path that matches: the literal one, else the one with the longest part before its first
// wildcard; rules for the very same path add up, and deny wins.
func (c *call) allowed(path string) bool {
	if strings.HasPrefix(c.path, "sys/internal/ui/mounts/") {
		return true // asked again there
	}
	rules, root := c.policies()
	if root {
		return true
	}
	best, granted := "", []string(nil)
	for _, r := range rules {
		if !matches(r.path, path) {
			continue
		}
		switch {
		case granted == nil || specific(r.path) > specific(best):
			best, granted = r.path, slices.Clone(r.caps)
		case r.path == best:
			granted = append(granted, r.caps...)
		}
	}
	return !slices.Contains(granted, "deny") && slices.Contains(granted, c.capability())
}

func specific(pattern string) int {
	if at := strings.IndexAny(pattern, "+*"); at >= 0 {
		return at
	}
	return 1 << 20
}

func matches(pattern, path string) bool {
	prefix, glob := strings.CutSuffix(pattern, "*")
	want, have := strings.Split(prefix, "/"), strings.Split(path, "/")
	for i, w := range want {
		last := i == len(want)-1
		switch {
		case i >= len(have):
			return false
		case w == "+":
		case last && glob:
			return strings.HasPrefix(strings.Join(have[i:], "/"), w)
		case w != have[i]:
			return false
		}
	}
	return len(want) == len(have)
}

func (c *call) capability() string {
	switch c.op {
	case "write":
		if m, rest := c.ns.mount(c.path); m != nil && m.kv != nil && !m.kv.exists(rest) {
			return "create"
		}
		return "update"
	case "list":
		return "list"
	}
	return c.op
}
