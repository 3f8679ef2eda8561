package rotation

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Policy says how and when one secret of one tenant is rotated.
type Policy struct {
	base.Entity
	ID             id.ID         `json:"id"`
	SecretKey      string        `json:"secret_key"`
	AppID          string        `json:"app_id"`
	TenantID       string        `json:"tenant_id"`                  // empty: the one in scope
	Interval       time.Duration `json:"interval"`                   // from the end of one rotation to the next, in nanoseconds
	Enabled        bool          `json:"enabled"`                    // false: nothing happens by itself, not even retiring; RotateNow works
	LastRotatedAt  *time.Time    `json:"last_rotated_at,omitempty"`  // nil: never
	NextRotationAt *time.Time    `json:"next_rotation_at,omitempty"` // nil when saving: Interval after the last rotation, else after now

	Rotator  string          `json:"rotator,omitempty"`   // a registered kind; empty: the function registered for the secret's key
	Params   json.RawMessage `json:"params,omitempty"`    // a JSON object for the rotator; what it may hold is the kind's to say
	Grace    time.Duration   `json:"grace,omitempty"`     // how long the former version stays valid; 0: a day, at most half of Interval
	Lifetime time.Duration   `json:"lifetime,omitempty"`  // a new version expires so long after it is made; 0: it keeps the former's expiry
	Windows  []Window        `json:"windows,omitempty"`   // when a rotation may begin; none: always
	TimeZone string          `json:"time_zone,omitempty"` // of the windows, such as Europe/Berlin; empty: UTC

	CreatedBy string `json:"created_by,omitempty"` // the user id
}

// NoGrace as a policy's Grace retires the former version at once.
const NoGrace time.Duration = -1

// Limits of a policy. The least interval that doors accept is a setting of the manager, see [WithMinInterval].
const (
	DefaultGrace = 24 * time.Hour
	maxInterval  = 10 * 366 * 24 * time.Hour
	maxParams    = 16 << 10 // bytes
	maxWindows   = 32
)

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Validate reports what is wrong with a policy, apart from its parameters, which its rotator knows.
func (p *Policy) Validate() error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	if err := secret.CheckName(p.SecretKey); err != nil {
		return err
	}
	switch {
	case p.Interval <= 0 || p.Interval > maxInterval:
		return bad("interval", "the interval of a rotation is above 0 and at most 10 years")
	case p.Interval < time.Microsecond:
		return bad("interval", "the interval of a rotation is at least a microsecond")
	case p.Grace > p.Interval:
		return fault.New(fault.Invalid, "the grace period is longer than the interval: two former versions would be valid at once").
			At(fault.Where{Field: "grace"}).WithHint("shorten the grace period or lengthen the interval")
	case p.Grace < 0 && p.Grace != NoGrace:
		return bad("grace", "the grace period is negative")
	case p.Lifetime < 0 || p.Lifetime > maxInterval:
		return bad("lifetime", "the lifetime of a version is between 0 and 10 years")
	case p.Lifetime > 0 && p.Lifetime < p.Interval:
		return bad("lifetime", "a version would expire before the next rotation: the lifetime is shorter than the interval")
	case p.Rotator != "" && (len(p.Rotator) > 64 || !kindPattern.MatchString(p.Rotator)):
		return bad("rotator", "a kind of rotator is lower-case words joined by dashes, such as random-password")
	case len(p.Params) > maxParams:
		return fault.New(fault.TooLarge, "the parameters of a rotator have at most %d bytes", maxParams).At(fault.Where{Field: "params"})
	case len(p.Params) > 0 && !isObject(p.Params):
		return bad("params", "the parameters of a rotator are not a JSON object")
	}
	_, err := newSchedule(p.Windows, p.TimeZone)
	return err
}

func isObject(raw json.RawMessage) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(raw, &m) == nil && m != nil
}

// DecodeParams reads a rotator's parameters into to, a pointer to a struct. A field that the struct does not have is an
// error. Nothing given is an empty object.
func DecodeParams(raw json.RawMessage, to any) error {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if _, more := d.Token(); err == nil && more != io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the parameters do not fit this rotator").At(fault.Where{Field: "params"})
	}
	return nil
}

// definition is what a run is told: of a policy, what stays the same until the run ends.
type definition struct {
	Rotator  string          `json:"rotator,omitempty"`
	Params   json.RawMessage `json:"params,omitempty"`
	Grace    int64           `json:"grace"`              // microseconds; 0 none
	Lifetime int64           `json:"lifetime,omitempty"` // microseconds; 0 as the former version
	Windows  []Window        `json:"windows,omitempty"`
	TimeZone string          `json:"time_zone,omitempty"`

	given int64 // the grace as it was written: 0 stands for the default
}

type storedDefinition struct {
	definition
	Given int64 `json:"given_grace,omitempty"`
}

func (p *Policy) definition() definition {
	d := definition{Rotator: p.Rotator, Params: p.Params, Grace: max(0, p.Grace).Microseconds(), Lifetime: p.Lifetime.Microseconds(),
		Windows: p.Windows, TimeZone: p.TimeZone, given: int64(p.Grace)}
	if p.Grace == 0 {
		d.Grace = min(DefaultGrace, p.Interval/2).Microseconds()
	}
	return d
}

func (d definition) encode() (string, error) {
	b, err := json.Marshal(storedDefinition{d, d.given})
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the policy cannot be written down")
	}
	return string(b), nil
}

func decodeDefinition(name, text string) (definition, error) {
	if text == "" {
		return definition{Grace: DefaultGrace.Microseconds()}, nil
	}
	var d storedDefinition
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return definition{}, fault.Wrap(fault.Internal, base.ErrTampered, "the record of the rotation of %s is not what was written", name)
	}
	d.given = d.Given
	return d.definition, nil
}

func fromPolicyRow(r driver.RotationPolicyRow) (*Policy, error) {
	d, err := decodeDefinition(r.Name, r.Definition)
	if err != nil {
		return nil, err
	}
	return &Policy{Entity: base.Entity{CreatedAt: micros(r.CreatedAt), UpdatedAt: micros(r.UpdatedAt)}, ID: id.ID(r.ID),
		SecretKey: r.Name, AppID: r.App, TenantID: r.Tenant, Interval: time.Duration(r.Interval) * time.Microsecond, Enabled: r.Enabled,
		LastRotatedAt: moment(r.LastAt), NextRotationAt: moment(r.NextAt), Rotator: d.Rotator, Params: d.Params,
		Grace: time.Duration(d.given), Lifetime: time.Duration(d.Lifetime) * time.Microsecond, Windows: d.Windows, TimeZone: d.TimeZone,
		CreatedBy: r.CreatedBy}, nil
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// moment is a time that may be missing.
func moment(n int64) *time.Time {
	if n == 0 {
		return nil
	}
	t := micros(n)
	return &t
}
