package audit

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Outcome is how an action ended, or [Begun].
type Outcome string

// The outcomes.
const (
	Begun    Outcome = "begin"     // first entry: about to happen
	OK       Outcome = "ok"        // it happened
	Denied   Outcome = "denied"    // the caller may not
	NotFound Outcome = "not_found" // there is no such thing for this caller
	Error    Outcome = "error"     // it was tried and failed
)

// OutcomeOf returns the outcome that fits an error; nil is [OK].
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OK
	case fault.Is(err, fault.Denied), fault.Is(err, fault.Unauthenticated):
		return Denied
	case fault.Is(err, fault.NotFound):
		return NotFound
	}
	return Error
}

// Detail is one fact about an action, such as {"layer", "tenant"}. It never holds a secret value.
type Detail struct{ Key, Value string }

// Event is what is about to happen.
type Event struct {
	Action   string // dotted lower-case words: "secret.get"
	Resource string // one lower-case word: "secret"
	Name     string // the thing's name; control and bidi characters are escaped, long names cut
	Operator bool   // it belongs to the operator's chain, not to the caller's tenant
	Details  []Detail
}

// Entry is one entry as people and programs read it.
type Entry struct {
	ID        id.ID     `json:"id"`
	Ref       string    `json:"ref,omitempty"` // the first entry that this one completes
	AppID     string    `json:"app"`
	TenantID  string    `json:"tenant"`
	Node      string    `json:"node"`
	Epoch     int64     `json:"epoch"`
	Seq       int64     `json:"seq"`
	CreatedAt time.Time `json:"time"`
	UserID    string    `json:"user,omitempty"`
	IP        string    `json:"ip,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Action    string    `json:"action"`
	Resource  string    `json:"resource"`
	Key       string    `json:"key,omitempty"` // the name of the thing
	Outcome   Outcome   `json:"outcome"`
	Details   []Detail  `json:"details,omitempty"` // as [["key", "value"], ...], in the order they were noted
	// Metadata is Details by key, for the documented methods of the stores ([Table]); of a repeated key the last one. It is
	// not part of the JSON.
	Metadata map[string]any `json:"-"`
}

// MarshalJSON writes a detail as a pair, so that repeated keys and their order survive.
func (d Detail) MarshalJSON() ([]byte, error) { return json.Marshal([2]string{d.Key, d.Value}) }

// UnmarshalJSON reads a pair of strings.
func (d *Detail) UnmarshalJSON(b []byte) error {
	var pair []string
	if err := json.Unmarshal(b, &pair); err != nil || len(pair) != 2 {
		return fault.New(fault.Invalid, "a detail is not a pair of strings")
	}
	d.Key, d.Value = pair[0], pair[1]
	return nil
}

// Limits of an entry; what is longer is cut, and says so.
const (
	maxText    = 256
	maxValue   = 1024
	maxDetails = 256
)

// check refuses an event whose fixed words are not words: they come from code, never from a caller.
func (e Event) check() error {
	bad := func(what, word string) error {
		return fault.New(fault.Invalid, "the audit %s %q is not made of lower-case words", what, clean(word, 64)).
			WithHint("write it like secret.get")
	}
	switch {
	case len(e.Action) > 64 || !isAction(e.Action):
		return bad("action", e.Action)
	case len(e.Resource) > 64 || !isWord(e.Resource):
		return bad("resource", e.Resource)
	}
	return nil
}

// encodeDetails gives the stored form, with keys and values cleaned.
func encodeDetails(details []Detail) string {
	if len(details) == 0 {
		return "[]"
	}
	kept := make([]Detail, 0, min(len(details), maxDetails+1))
	for _, d := range details[:min(len(details), maxDetails)] {
		key := d.Key
		if len(key) > 64 || !isDetail(key) {
			key = "detail"
		}
		kept = append(kept, Detail{key, clean(d.Value, maxValue)})
	}
	if n := len(details) - maxDetails; n > 0 {
		kept = append(kept, Detail{"left_out", strconv.Itoa(n)})
	}
	return string(appendDetails(nil, kept))
}

// appendDetails writes details as encoding/json does.
func appendDetails(dst []byte, details []Detail) []byte {
	dst = append(dst, '[')
	for i, d := range details {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(append(appendJSON(append(dst, '['), d.Key), ','), d.Value)
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// fromRow never fails: a damaged row must still be shown. Verify is what judges it.
func fromRow(r driver.AuditRow) Entry {
	e := Entry{
		ID: id.ID(clean(r.ID, maxText)), Ref: clean(r.Ref, maxText),
		AppID: Display(r.App), TenantID: Display(r.Tenant), Node: Display(r.Node), Epoch: r.Epoch, Seq: r.Seq,
		CreatedAt: time.UnixMicro(r.At).UTC(),
		UserID:    clean(r.User, maxText), IP: clean(r.IP, maxText), RequestID: clean(r.RequestID, maxText),
		Action: clean(r.Action, maxText), Resource: clean(r.Resource, maxText), Key: clean(r.Name, maxText),
		Outcome: Outcome(clean(r.Outcome, maxText)),
	}
	if err := json.Unmarshal([]byte(r.Details), &e.Details); err != nil {
		e.Details = []Detail{{"unreadable", clean(r.Details, maxValue)}}
	}
	return e
}
