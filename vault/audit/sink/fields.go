package sink

import (
	"encoding/hex"

	"github.com/haywardhq/hayward/vault/audit"
)

// field is a named text of an entry.
type field struct{ name, value string }

// fields returns the texts of an entry that are not empty. Personal fields in clear, where there are any, take the place of
// what stands for them.
func fields(l audit.Line) []field {
	user, ip, key := l.UserID, l.IP, l.Key
	if l.Open != nil {
		user, ip = l.Open.User, l.Open.IP
		if l.Open.Key != "" {
			key = l.Open.Key
		}
	}
	var out []field
	for _, f := range [...]field{{"id", l.ID.String()}, {"ref", l.Ref}, {"app", l.AppID}, {"tenant", l.TenantID}, {"node", l.Node}, {"user", user},
		{"ip", ip}, {"request_id", l.RequestID}, {"action", l.Action}, {"resource", l.Resource}, {"key", key},
		{"outcome", string(l.Outcome)}, {"hash", hex.EncodeToString(l.Hash)}} {
		if f.value != "" {
			out = append(out, field{f.name, audit.Display(f.value)})
		}
	}
	return out
}

// sentence says an entry in a line.
func sentence(l audit.Line) string {
	s := l.Action
	for _, f := range fields(l) {
		switch f.name {
		case "key":
			s += " " + f.value
		case "user":
			s += " by " + f.value
		}
	}
	return audit.Display(s + ": " + string(l.Outcome))
}
