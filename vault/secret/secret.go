package secret

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Secret is a secret with its value. The value cannot be printed, and may go to Destinations only.
type Secret struct {
	Meta
	Value          sealed.Value `json:"-"`
	EncryptedValue []byte       `json:"-"` // as it is stored
}

// Meta is everything about a secret but its value.
type Meta struct {
	base.Entity
	ID              string               `json:"id"`
	Key             string               `json:"key"` // the name
	Version         int64                `json:"version"`
	AppID           string               `json:"app"`
	TenantID        string               `json:"tenant,omitempty"` // empty for a shared entry
	Shared          bool                 `json:"shared,omitempty"` // the operator shared it with every tenant of the app
	ExpiresAt       *time.Time           `json:"expires_at,omitempty"`
	Metadata        map[string]string    `json:"metadata,omitempty"`
	Destinations    []sealed.Destination `json:"destinations,omitempty"` // who may receive it; none: the component's own host
	DeletedAt       *time.Time           `json:"deleted_at,omitempty"`   // in lists of deleted secrets
	EncryptionAlg   string               `json:"encryption_alg"`
	EncryptionKeyID string               `json:"encryption_key_id"`
}

// ListOpts selects a page of a list.
type ListOpts struct {
	Limit int    // 0 means 100, most 1000
	After string // only names after this one: the last of the page before
}

// Expired reports whether the secret had expired at a moment.
func (m *Meta) Expired(at time.Time) bool { return m.ExpiresAt != nil && !at.Before(*m.ExpiresAt) }

// ErrExpired is returned for a secret whose expiry has passed.
var ErrExpired = base.ErrSecretExpired

// Limits of what stands beside a value.
const (
	DefaultMaxSize  = 64 << 10            // bytes of a value
	DefaultVersions = 10                  // versions of a secret
	DefaultRecovery = 30 * 24 * time.Hour // from deletion to destruction
	MaxVersions     = 100                 // versions of a secret, at most
	maxMetadata     = 64                  // entries
	maxMetadataSize = 8 << 10             // bytes, encoded
	maxDestinations = 32
	maxUser         = 255 // bytes of a user's id
)

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// CheckName refuses what cannot be a secret's name.
func CheckName(name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	return fault.New(fault.Invalid,
		"a secret's name has 1 to 128 letters, digits, underscores, dots and dashes, and begins with a letter or an underscore").
		At(fault.Where{Field: "key"}).WithHint("a name such as OPENAI_API_KEY")
}

func notFound(name string) error {
	return fault.Wrap(fault.NotFound, base.ErrSecretNotFound, "there is no secret %s", name).WithCode("SecretNotFound")
}

func expired(name string) error {
	return fault.Wrap(fault.Conflict, base.ErrSecretExpired, "the secret %s has expired", name).WithCode("SecretExpired").
		WithHint("set it again, with a later expiry or none")
}

// toMeta reads the documented form out of the stored one.
func toMeta(head driver.SecretRow, v driver.SecretVersion) (Meta, error) {
	m := Meta{
		Entity: base.Entity{CreatedAt: micros(head.CreatedAt), UpdatedAt: micros(head.UpdatedAt)},
		ID:     head.ID, Key: head.Name, Version: v.Version, AppID: head.App, TenantID: head.Tenant,
		ExpiresAt: moment(v.ExpiresAt), EncryptionAlg: v.Algorithm, EncryptionKeyID: v.KeyID,
	}
	if head.Tenant == driver.Shared {
		m.TenantID, m.Shared = "", true
	}
	if json.Unmarshal([]byte(v.Metadata), &m.Metadata) != nil || json.Unmarshal([]byte(v.Destinations), &m.Destinations) != nil {
		return Meta{}, fault.Wrap(fault.Internal, base.ErrTampered, "the record of the secret %s is not what was written", head.Name)
	}
	if len(m.Metadata) == 0 { // an empty map would be shared by everybody who reads the secret
		m.Metadata = nil
	}
	return m, nil
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// moment is nil for never.
func moment(n int64) *time.Time {
	if n == 0 {
		return nil
	}
	t := micros(n)
	return &t
}

// encodeMetadata gives the stored form; encoding/json sorts the keys.
func encodeMetadata(m map[string]string) (string, error) {
	if m == nil {
		m = map[string]string{}
	}
	b, err := json.Marshal(maps.Clone(m))
	if err != nil || len(m) > maxMetadata || len(b) > maxMetadataSize {
		return "", fault.New(fault.TooLarge, "a secret's metadata has at most %d entries and %d bytes", maxMetadata, maxMetadataSize).
			At(fault.Where{Field: "metadata"})
	}
	return string(b), nil
}

func encodeDestinations(dests []sealed.Destination) (string, error) {
	if len(dests) > maxDestinations {
		return "", fault.New(fault.TooLarge,
			"a secret has at most %d destinations", maxDestinations).At(fault.Where{Field: "destinations"})
	}
	names := make([]string, 0, len(dests))
	for _, d := range dests {
		if d.IsZero() {
			return "", fault.New(fault.Invalid, "a destination is empty").At(fault.Where{Field: "destinations"}).
				WithHint("write an origin such as https://api.openai.com")
		}
		if !slices.Contains(names, d.String()) {
			names = append(names, d.String())
		}
	}
	b, err := json.Marshal(names)
	return string(b), err
}
