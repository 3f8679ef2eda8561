package policy

import (
	"math/bits"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// Roles is a set of roles. The zero Roles holds none and may do nothing.
type Roles uint8

// The closed set of roles. The first four are held in a tenant; Operator is held outside every tenant and never together
// with another.
const (
	Viewer   Roles = 1 << iota // sees pipelines
	Runner                     // also runs them
	Editor                     // also deploys them
	Admin                      // also manages the tenant's secrets, users and audit
	Operator                   // runs the service; sees no tenant's secret
	Monitor                    // reads what the server counted and nothing else; a machine's, and no user's
)

// TenantRoles are the roles a membership may hold.
const TenantRoles = Viewer | Runner | Editor | Admin

var roleNames = [...]string{"viewer", "runner", "editor", "admin", "operator", "monitor"}

// Has reports whether r holds every role of want, and want is not empty.
func (r Roles) Has(want Roles) bool { return want != 0 && r&want == want }

// Names returns the names of the roles in r, lowest first. It is never nil, so that it encodes as a JSON array.
func (r Roles) Names() []string {
	out := make([]string, 0, bits.OnesCount8(uint8(r)))
	for i, name := range roleNames {
		if r&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// String returns the names joined by commas, "none" for the empty set.
func (r Roles) String() string {
	if r == 0 {
		return "none"
	}
	return strings.Join(r.Names(), ",")
}

// ParseRole reads one role's name.
func ParseRole(name string) (Roles, error) {
	for i, have := range roleNames {
		if have == name {
			return 1 << i, nil
		}
	}
	return 0, fault.New(fault.Invalid, "%q is not a role", name).
		WithHint("the roles are %s", strings.Join(roleNames[:4], ", ")).At(fault.Where{Field: "roles"})
}

// ParseRoles reads role names joined by commas, as [Roles.String] writes them. At least one is required.
func ParseRoles(list string) (Roles, error) {
	var out Roles
	for name := range strings.SplitSeq(list, ",") {
		r, err := ParseRole(strings.TrimSpace(name))
		if err != nil {
			return 0, err
		}
		out |= r
	}
	return out, nil
}
