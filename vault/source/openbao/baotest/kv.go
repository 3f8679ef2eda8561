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

// kvStore is a KV mount of version 2.
type kvStore struct {
	entries     map[string]*entry
	maxVersions int
	casRequired bool
	deleteAfter time.Duration
}

type entry struct {
	versions        map[int]*version
	current, oldest int
	metaVersion     int
	created         time.Time
	updated         time.Time
	custom          map[string]any
	maxVersions     int
	deleteAfter     time.Duration
	casRequired     bool
}

type version struct {
	data      map[string]any
	created   time.Time
	deletion  time.Time // zero: not deleted; in the future: when it will be
	destroyed bool
}

func newKV() *kvStore { return &kvStore{entries: map[string]*entry{}} }

// exists tells whether a write creates or updates.
func (k *kvStore) exists(path string) bool {
	kind, key, _ := strings.Cut(path, "/")
	return kind != "data" && kind != "metadata" || k.entries[key] != nil
}

func (c *call) kv(k *kvStore, path string) reply {
	kind, key, _ := strings.Cut(path, "/")
	if key == "" && kind != "config" && !(kind == "metadata" && c.op == "list") {
		return unsupported
	}
	switch kind {
	case "data":
		return c.kvData(k, key)
	case "metadata":
		return c.kvMetadata(k, key)
	case "subkeys":
		if c.op == "read" {
			return c.kvSubkeys(k, key)
		}
	case "delete", "undelete", "destroy":
		if c.op == "write" {
			return c.kvVersions(k, kind, key)
		}
	case "config":
		return c.kvConfig(k)
	default:
		return failed(http.StatusNotFound, "no handler for route %q. route entry not found.", c.path)
	}
	return unsupported
}

func (c *call) kvData(k *kvStore, key string) reply {
	e := k.entries[key]
	switch c.op {
	case "read":
		return c.kvRead(e)
	case "write":
		return c.kvWrite(k, e, key, c.body["data"], c.body["options"])
	case "patch":
		if e == nil || e.gone(e.versions[e.current], c.s.now()) {
			return notFound
		}
		change, isObject := c.body["data"].(map[string]any)
		if !isObject {
			return bad("no data provided")
		}
		return c.kvWrite(k, e, key, merge(e.versions[e.current].data, change), c.body["options"])
	case "delete":
		if e != nil && e.current > 0 {
			if v := e.versions[e.current]; v != nil && !e.gone(v, c.s.now()) {
				v.deletion, e.updated = c.s.now(), c.s.now()
			}
		}
		return done
	}
	return unsupported
}

// merge is RFC 7396.
func merge(old, change map[string]any) map[string]any {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]any{}
	}
	for key, v := range change {
		inner, isObject := v.(map[string]any)
		switch {
		case v == nil:
			delete(out, key)
		case isObject:
			was, _ := out[key].(map[string]any)
			out[key] = merge(was, inner)
		default:
			out[key] = v
		}
	}
	return out
}

func (e *entry) gone(v *version, now time.Time) bool {
	return v == nil || v.destroyed || !v.deletion.IsZero() && !now.Before(v.deletion)
}

func (c *call) asked(e *entry) (n int, v *version, rep reply) {
	if e == nil {
		return 0, nil, notFound
	}
	n = e.current
	if q := c.query.Get("version"); q != "" {
		asked, err := strconv.Atoi(q)
		if err != nil {
			return 0, nil, bad("Field validation failed: error converting input %s for field \"version\": strconv.ParseInt: parsing %q: invalid syntax", q, q)
		}
		if asked > 0 {
			n = asked
		}
	}
	if v = e.versions[n]; v == nil {
		return 0, nil, notFound
	}
	return n, v, reply{}
}

func (c *call) kvRead(e *entry) reply {
	n, v, rep := c.asked(e)
	if rep.status != 0 {
		return rep
	}
	data := map[string]any{"data": v.data, "metadata": e.about(n)}
	if e.gone(v, c.s.now()) {
		data["data"] = nil
		return reply{status: http.StatusNotFound, data: data}
	}
	return ok(data)
}

func (e *entry) about(n int) map[string]any {
	v := e.versions[n]
	return map[string]any{"created_time": stamp(v.created), "custom_metadata": e.customOrNil(), "deletion_time": stamp(v.deletion), "destroyed": v.destroyed, "version": n}
}

func (e *entry) customOrNil() any {
	if e.custom == nil {
		return nil
	}
	return e.custom
}

func (c *call) kvWrite(k *kvStore, e *entry, key string, data, options any) reply {
	object, isObject := data.(map[string]any)
	if !isObject {
		return bad("no data provided")
	}
	current := 0
	if e != nil {
		current = e.current
	}
	opts, _ := options.(map[string]any)
	cas, given := opts["cas"]
	switch {
	case !given && (k.casRequired || e != nil && e.casRequired):
		return bad("check-and-set parameter required for this call")
	case given && integer(cas) != current:
		return bad("check-and-set parameter did not match the current version")
	}
	now := c.s.now()
	if e == nil {
		e = &entry{versions: map[int]*version{}, created: now}
		k.entries[key] = e
	}
	e.current++
	e.updated = now
	v := &version{data: object, created: now}
	if d := max(e.deleteAfter, 0); d > 0 {
		v.deletion = now.Add(d)
	} else if k.deleteAfter > 0 && e.deleteAfter == 0 {
		v.deletion = now.Add(k.deleteAfter)
	}
	e.versions[e.current] = v
	e.prune(k)
	return ok(e.about(e.current))
}

func (e *entry) prune(k *kvStore) {
	most := e.maxVersions
	if most == 0 {
		most = k.maxVersions
	}
	if most == 0 {
		most = 10
	}
	for n := range e.versions {
		if n <= e.current-most {
			delete(e.versions, n)
		}
	}
	if e.current > most {
		e.oldest = e.current - most + 1
	}
}

func (c *call) kvVersions(k *kvStore, kind, key string) reply {
	listed, _ := c.body["versions"].([]any)
	if len(listed) == 0 {
		return bad("No version number provided")
	}
	e := k.entries[key]
	if e == nil {
		return notFound
	}
	now := c.s.now()
	for _, item := range listed {
		v := e.versions[integer(item)]
		switch {
		case v == nil || v.destroyed:
		case kind == "delete" && !e.gone(v, now):
			v.deletion = now
		case kind == "undelete":
			v.deletion = time.Time{}
			if e.deleteAfter > 0 {
				v.deletion = now.Add(e.deleteAfter)
			}
		case kind == "destroy":
			v.destroyed, v.data = true, nil
		}
	}
	e.updated = now
	return done
}

func (c *call) kvMetadata(k *kvStore, key string) reply {
	e := k.entries[key]
	switch c.op {
	case "list":
		return kvList(k, key)
	case "read":
		if e == nil {
			return notFound
		}
		versions := map[string]any{}
		for n, v := range e.versions {
			versions[strconv.Itoa(n)] = map[string]any{"created_time": stamp(v.created), "deletion_time": stamp(v.deletion), "destroyed": v.destroyed}
		}
		return ok(map[string]any{"cas_required": e.casRequired, "created_time": stamp(e.created), "current_metadata_version": e.metaVersion,
			"current_version": e.current, "custom_metadata": e.customOrNil(), "delete_version_after": e.deleteAfter.String(), "max_versions": e.maxVersions,
			"metadata_cas_required": false, "oldest_version": e.oldest, "updated_time": stamp(e.updated), "versions": versions})
	case "write", "patch":
		return c.putMetadata(k, e, key)
	case "delete":
		delete(k.entries, key)
		return done
	}
	return unsupported
}

func (c *call) putMetadata(k *kvStore, e *entry, key string) reply {
	if e == nil {
		e = &entry{versions: map[int]*version{}, created: c.s.now(), updated: c.s.now()}
		k.entries[key] = e
	}
	if custom, given := c.body["custom_metadata"].(map[string]any); given {
		for name, v := range custom {
			if _, isText := v.(string); !isText {
				return bad("custom_metadata validation failed: value of %s is no string", name)
			}
		}
		e.custom = custom
	}
	if v, given := c.body["max_versions"]; given {
		e.maxVersions = integer(v)
	}
	if v, given := c.body["delete_version_after"]; given {
		d, valid := duration(v)
		if !valid {
			return bad("error converting input %v for field \"delete_version_after\"", v)
		}
		e.deleteAfter = d
	}
	if v, given := c.body["cas_required"].(bool); given {
		e.casRequired = v
	}
	e.metaVersion++
	return done
}

func kvList(k *kvStore, folder string) reply {
	if folder != "" && !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	names := map[string]bool{}
	for key := range k.entries {
		if rest, below := strings.CutPrefix(key, folder); below {
			name, _, deeper := strings.Cut(rest, "/")
			if deeper {
				name += "/"
			}
			names[name] = true
		}
	}
	if len(names) == 0 {
		return notFound
	}
	return ok(map[string]any{"keys": slices.Sorted(maps.Keys(names))})
}

func (c *call) kvSubkeys(k *kvStore, key string) reply {
	e := k.entries[key]
	n, v, rep := c.asked(e)
	if rep.status != 0 {
		return rep
	}
	data := map[string]any{"metadata": e.about(n), "subkeys": subkeys(v.data)}
	if e.gone(v, c.s.now()) {
		data["subkeys"] = nil
		return reply{status: http.StatusNotFound, data: data}
	}
	return ok(data)
}

func subkeys(data map[string]any) map[string]any {
	out := map[string]any{}
	for key, v := range data {
		out[key] = nil
		if inner, isObject := v.(map[string]any); isObject {
			out[key] = subkeys(inner)
		}
	}
	return out
}

func (c *call) kvConfig(k *kvStore) reply {
	switch c.op {
	case "read":
		return ok(map[string]any{"cas_required": k.casRequired, "delete_version_after": k.deleteAfter.String(), "max_versions": k.maxVersions})
	case "write":
		if v, given := c.body["max_versions"]; given {
			k.maxVersions = integer(v)
		}
		if v, given := c.body["cas_required"].(bool); given {
			k.casRequired = v
		}
		if v, given := c.body["delete_version_after"]; given {
			k.deleteAfter, _ = duration(v)
		}
		return done
	}
	return unsupported
}

// PutKV writes a secret as a test would by hand: fields in the mount "secret", which is made if it is not there.
func (s *Server) PutKV(path string, fields map[string]any) {
	s.set(func() {
		root := s.namespaces[""]
		if root.mounts["secret/"] == nil {
			root.mounts["secret/"] = &mount{path: "secret/", kind: "kv", options: map[string]any{"version": "2"}, kv: newKV(), accessor: "kv_" + random(4), uuid: newUUID()}
		}
		b, err := json.Marshal(fields)
		if err != nil {
			panic(fmt.Sprintf("baotest: %v", err))
		}
		var data map[string]any
		dec := json.NewDecoder(strings.NewReader(string(b)))
		dec.UseNumber()
		_ = dec.Decode(&data)
		k := root.mounts["secret/"].kv
		(&call{s: s}).kvWrite(k, k.entries[path], path, data, nil)
	})
}
