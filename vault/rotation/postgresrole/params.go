package postgresrole

import (
	"encoding/json"
	"maps"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/secret"
)

// Params are the parameters of a policy.
type Params struct {
	Host      string                `json:"host"`                // a name or an address
	Port      int                   `json:"port,omitempty"`      // 0 means 5432
	Database  string                `json:"database"`            // where to log in
	Roles     []string              `json:"roles"`               // the two that alternate, such as app_a and app_b
	Group     string                `json:"group"`               // the role both are members of, which has the rights
	Admin     string                `json:"admin"`               // the secret with the administrator's login
	Password  rotation.PasswordSpec `json:"password,omitzero"`   // what new passwords are made of
	Plaintext bool                  `json:"plaintext,omitempty"` // without TLS, if the operator allows it (a server does for localhost)
}

// rolePattern is narrower than PostgreSQL's names, so that none needs thinking about how it is quoted.
var rolePattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func parseParams(raw json.RawMessage) (p Params, err error) {
	if err := rotation.DecodeParams(raw, &p); err != nil {
		return p, err
	}
	if p.Port == 0 {
		p.Port = 5432
	}
	return p, p.check()
}

func (p Params) check() error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	if _, err := p.destination(); err != nil {
		return bad("host", "the host is not a name or an address of a database server")
	}
	switch {
	case p.Port < 1 || p.Port > 65535:
		return bad("port", "the port is between 1 and 65535")
	case p.Database == "" || len(p.Database) > 63 || strings.ContainsRune(p.Database, 0):
		return bad("database", "the name of the database has 1 to 63 bytes")
	case len(p.Roles) != 2 || p.Roles[0] == p.Roles[1]:
		return bad("roles", "there are two roles, which alternate")
	}
	for i, role := range append([]string{p.Group}, p.Roles...) {
		if !rolePattern.MatchString(role) || strings.HasPrefix(role, "pg_") || role == "postgres" {
			return bad([...]string{"group", "roles", "roles"}[i],
				"a role's name has 1 to 63 lower-case letters, digits and underscores, and is none of the server's own")
		}
	}
	if p.Group == p.Roles[0] || p.Group == p.Roles[1] {
		return bad("group", "the group is not one of the two roles")
	}
	if err := secret.CheckName(p.Admin); err != nil {
		return bad("admin", "the name of the secret with the administrator's login is not one")
	}
	_, err := rotation.NewPassword(p.Password)
	return err
}

// destination is the server as the destinations of a secret name it.
func (p Params) destination() (sealed.Destination, error) {
	if strings.ContainsAny(p.Host, "/@?#%") {
		return sealed.Destination{}, fault.New(fault.Invalid, "not a host")
	}
	return sealed.ParseDestination(net.JoinHostPort(p.Host, strconv.Itoa(p.Port)))
}

// login is what a secret of this kind holds.
type login struct{ Username, Password string }

// readLogin reads the value of a secret, with whatever else it holds.
func readLogin(value []byte, what string) (l login, all map[string]json.RawMessage, err error) {
	bad := fault.New(fault.Invalid, "%s is not a JSON object with username and password", what).WithCode("NotALogin").
		WithHint(`set it to {"username": "...", "password": "..."}`)
	if json.Unmarshal(value, &all) != nil || json.Unmarshal(all["username"], &l.Username) != nil || l.Username == "" ||
		json.Unmarshal(all["password"], &l.Password) != nil || l.Password == "" {
		return login{}, nil, bad
	}
	return l, all, nil
}

// next is the value that follows: the other role, with a new password.
func (p Params) next(current sealed.Value) (sealed.Value, error) {
	role, all := p.Roles[0], map[string]json.RawMessage{}
	if !current.IsZero() {
		now, had, err := readLogin(reveal.Inside(current), "the secret")
		if err != nil {
			return sealed.Value{}, err
		}
		if all = maps.Clone(had); now.Username == role {
			role = p.Roles[1]
		}
	}
	password, err := rotation.NewPassword(p.Password)
	if err != nil {
		return sealed.Value{}, err
	}
	for key, v := range map[string]any{"engine": "postgres", "host": p.Host, "port": p.Port, "dbname": p.Database} {
		if _, there := all[key]; !there {
			all[key] = encode(v)
		}
	}
	all["username"], all["password"] = encode(role), encode(string(reveal.Inside(password)))
	return sealed.New(encode(all)), nil
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("postgresrole: strings and numbers do not encode: " + err.Error())
	}
	return b
}
