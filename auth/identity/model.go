package identity

import (
	"time"

	"github.com/haywardhq/hayward/auth/policy"
)

// App is one application; a server usually has one, "default".
type App struct {
	ID, Slug string
	Created  time.Time
}

// Tenant owns things inside an app.
type Tenant struct {
	App, ID  string
	Slug     string // the name people type; unique among the app's living tenants
	Name     string // the name people read; the slug if none was given
	Disabled bool   // suspended: its members' tokens are refused, its things stay
	Created  time.Time
	Updated  time.Time
}

// User is a person or a program that logs in. It holds no password and no hash.
type User struct {
	App, ID           string
	Name              string // canonical, see [CanonicalName]
	FullName          string
	Email             string
	Operator          bool
	Disabled          bool
	CredentialVersion int64  // grows when old tokens must die: password change, disabling
	HomeTenant        string // id of the tenant a login without a scope goes to; "" for operators and users without any
	Created           time.Time
	Updated           time.Time
}

// Membership is a user's place in a tenant.
type Membership struct {
	Tenant string // id
	Roles  policy.Roles
	Since  time.Time
}

// Member is a user of a tenant with the roles held there.
type Member struct {
	User  User
	Roles policy.Roles
}

// Account is a user with all memberships, as one moment. It is shared and must not be changed.
type Account struct {
	User
	memberships []Membership // oldest first
}

// Roles returns the roles held in the tenant with the given id, none if the user is not a member. For an operator and
// the empty tenant it returns policy.Operator.
func (a *Account) Roles(tenant string) policy.Roles {
	if tenant == "" {
		if a.Operator {
			return policy.Operator
		}
		return 0
	}
	for i := range a.memberships {
		if a.memberships[i].Tenant == tenant {
			return a.memberships[i].Roles
		}
	}
	return 0
}

// Memberships returns a copy of the user's memberships, oldest first.
func (a *Account) Memberships() []Membership { return append([]Membership(nil), a.memberships...) }

// NewUser is what [Store.CreateUser] needs.
type NewUser struct {
	Name         string // any spelling; stored canonical
	FullName     string // may be empty
	Email        string // may be empty
	PasswordHash string // from package password; empty: cannot log in until one is set
	Operator     bool
}

// UserChange is what [Store.UpdateUser] may change; nil fields stay.
type UserChange struct {
	FullName, Email *string
	HomeTenant      *string // id of a tenant the user is a member of
}

// Page asks for part of a list, in the order of ids, which is the order of creation.
type Page struct {
	After string // the last id of the page before; "" for the first page
	Limit int    // default 100, at most 1000
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return 100
	}
	return min(p.Limit, 1000)
}
