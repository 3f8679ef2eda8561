package config

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Entry is a config entry as it is now, or as a version of it was.
type Entry struct {
	base.Entity
	ID          id.ID             `json:"id"`
	Key         string            `json:"key"`
	Value       any               `json:"value"`
	ValueType   string            `json:"value_type"` // string, bool, int, float, duration or json
	Version     int64             `json:"version"`
	Description string            `json:"description"`
	AppID       string            `json:"app_id"`
	TenantID    string            `json:"tenant_id,omitempty"` // empty for the app's own
	Metadata    map[string]string `json:"metadata,omitempty"`
	CreatedBy   string            `json:"created_by,omitempty"` // who wrote this version
}

// EntryVersion is one version of an entry.
type EntryVersion struct {
	ID        id.ID     `json:"id"`
	ConfigKey string    `json:"config_key"`
	AppID     string    `json:"app_id"`
	Version   int64     `json:"version"`
	Current   bool      `json:"current"`
	Value     any       `json:"value"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
}

// ListOpts selects a page of a list.
type ListOpts struct {
	Limit  int    // 0 and everything above 1000 mean 1000
	Offset int    // entries to leave out at the start
	After  string // only keys after this one: the last of the page before
	AppID  string // in place of the app argument, if that is empty
}

func (o ListOpts) limit() (int, error) {
	if o.Limit < 0 || o.Offset < 0 {
		return 0, fault.New(fault.Invalid, "a list has no negative limit or offset").At(fault.Where{Field: "limit"})
	}
	if o.Limit == 0 || o.Limit > maxPage {
		return maxPage, nil
	}
	return o.Limit, nil
}

const (
	maxPage        = 1000
	keepVersions   = 100      // older ones are dropped by a write
	maxDescription = 4096     // bytes
	maxMetadata    = 64       // entries
	maxMetaSize    = 8 << 10  // bytes, encoded
	maxSchema      = 64 << 10 // bytes
)

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,254}$`)

// CheckKey refuses what cannot be a config key.
func CheckKey(key string) error {
	if keyPattern.MatchString(key) {
		return nil
	}
	return fault.New(fault.Invalid, "a config key has 1 to 255 letters, digits, dots, colons, slashes, dashes and underscores").
		At(fault.Where{Field: "key"}).WithHint("a key such as rate-limit")
}

func notFound(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrConfigNotFound, "there is no config entry %s", audit.Display(key)).WithCode("ConfigNotFound")
}

// checkType refuses a type that the value does not have. The empty one is the value's own.
func checkType(want string, v any) (string, error) {
	have := typed.Type(v)
	var err error
	switch want {
	case "":
		return have, nil
	case have, typed.JSON:
		return want, nil
	case "float":
		_, err = typed.AsFloat(v)
	case typed.Duration:
		_, err = typed.AsDuration(v)
	case typed.String, typed.Bool, "int":
		err = fault.New(fault.Invalid, "the value is %s, not of the type %s", typed.Name(v), want)
	default:
		return "", fault.New(fault.Invalid, "there is no type of value %q", want).At(fault.Where{Field: "value_type"}).
			WithHint("one of string, bool, int, float, duration, json")
	}
	if err != nil {
		return "", fault.Wrap(fault.Invalid, base.ErrTypeMismatch, "%s", fault.From(err).Message).WithCode(typed.CodeMismatch).
			At(fault.Where{Field: "value_type"})
	}
	return want, nil
}

func encodeMetadata(m map[string]string) (string, error) {
	if m == nil {
		m = map[string]string{}
	}
	b, err := json.Marshal(m)
	if err != nil || len(m) > maxMetadata || len(b) > maxMetaSize {
		return "", fault.New(fault.TooLarge, "an entry's metadata has at most %d entries and %d bytes", maxMetadata, maxMetaSize).
			At(fault.Where{Field: "metadata"})
	}
	return string(b), nil
}

// toEntry reads the documented form out of the stored one.
func toEntry(head driver.ConfigRow, v driver.ConfigVersion) (*Entry, error) {
	value, err := decodeValue(v)
	if err != nil {
		return nil, err
	}
	e := &Entry{Entity: base.Entity{CreatedAt: micros(head.CreatedAt), UpdatedAt: micros(v.CreatedAt)}, ID: id.ID(head.ID), Key: head.Name,
		Value: value, ValueType: v.ValueType, Version: v.Version, Description: v.Description, AppID: head.App, CreatedBy: v.CreatedBy}
	if head.Tenant != driver.Shared {
		e.TenantID = head.Tenant
	}
	if err := json.Unmarshal([]byte(v.Metadata), &e.Metadata); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the config entry %s cannot be read", audit.Display(head.Name))
	}
	if len(e.Metadata) == 0 {
		e.Metadata = nil
	}
	return e, nil
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// decodeValue returns a fresh value, with references to secrets as such.
func decodeValue(v driver.ConfigVersion) (any, error) {
	value, err := typed.Decode(typed.Encoded{Kind: v.Kind, Text: v.Value})
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the config entry %s cannot be read", audit.Display(v.Name))
	}
	return withRefs(value), nil
}
