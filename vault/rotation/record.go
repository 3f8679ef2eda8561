package rotation

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Outcome is what became of an attempt.
type Outcome string

// The outcomes. A rotation that went well has one record, a failed attempt one each.
const (
	Rotated   Outcome = "rotated"   // the new version is served
	Failed    Outcome = "failed"    // a step failed; it is tried again
	Abandoned Outcome = "abandoned" // somebody gave the run up, see [Service.Abandon]
)

// Record is what became of one attempt.
type Record struct {
	ID         id.ID     `json:"id"`
	SecretKey  string    `json:"secret_key"`
	AppID      string    `json:"app_id"`
	TenantID   string    `json:"tenant_id"`
	OldVersion int64     `json:"old_version"`
	NewVersion int64     `json:"new_version"` // 0: none was staged
	RotatedBy  string    `json:"rotated_by"`  // [Actor], or who asked for it
	RotatedAt  time.Time `json:"rotated_at"`

	Seq     int64    `json:"seq"` // 1, 2, 3 ... per secret
	RunID   string   `json:"run_id"`
	Outcome Outcome  `json:"outcome"`
	Step    string   `json:"step,omitempty"`    // the step that failed
	Attempt int      `json:"attempt,omitempty"` // which failure of that step in a row this is
	Failure *Failure `json:"failure,omitempty"`
}

// Failure says why a step failed. It holds no value of a secret.
type Failure struct {
	Step    string    `json:"step"`
	Kind    string    `json:"kind"`
	Code    string    `json:"code,omitempty"`
	Message string    `json:"message,omitempty"`
	Hint    string    `json:"hint,omitempty"`
	At      time.Time `json:"at"`
}

// ListOpts selects a page of a secret's records.
type ListOpts struct {
	Limit  int   // 0 means 100, most 1000
	Offset int   // records left out before the page
	Below  int64 // only records with a lower number: the last Seq of the page before
}

func (o ListOpts) limit() (int, error) {
	switch {
	case o.Limit < 0 || o.Limit > 1000:
		return 0, fault.New(fault.Invalid, "a page of rotations has 1 to 1000 entries, not %d", o.Limit).At(fault.Where{Field: "limit"})
	case o.Offset < 0 || o.Offset > maxHistory:
		return 0, fault.New(fault.Invalid, "an offset is between 0 and %d", maxHistory).At(fault.Where{Field: "offset"})
	case o.Limit == 0:
		return 100, nil
	}
	return o.Limit, nil
}

// maxHistory is how many records a secret keeps at most; the oldest go first.
const maxHistory = 1000

func fromRecordRow(r driver.RotationRecordRow) *Record {
	out := &Record{ID: id.ID(r.ID), SecretKey: r.Name, AppID: r.App, TenantID: r.Tenant, OldVersion: r.OldVersion, NewVersion: r.NewVersion,
		RotatedBy: r.By, RotatedAt: micros(r.At), Seq: r.Seq, RunID: r.RunID, Outcome: Outcome(r.Outcome), Step: r.Step, Attempt: int(r.Attempt)}
	out.Failure = decodeFailure(r.Details)
	return out
}

func decodeFailure(text string) *Failure {
	var f Failure
	if json.Unmarshal([]byte(text), &f) != nil || f.Kind == "" {
		return nil
	}
	return &f
}

func encodeFailure(f *Failure) string {
	if f == nil {
		return "{}"
	}
	b, err := json.Marshal(f)
	if err != nil {
		panic("rotation: a failure does not encode: " + err.Error())
	}
	return string(b)
}

// failureOf is what may be written down of an error. A fault's sentence holds no secret by its contract; what anything else
// says may quote what a server answered, and stays out.
func failureOf(step string, err error, at int64) *Failure {
	out := &Failure{Step: step, Kind: fault.KindOf(err).String(), At: micros(at)}
	var f *fault.Error
	if errors.As(err, &f) {
		out.Code, out.Message, out.Hint = f.Code, cut(f.Message), cut(f.Hint)
	} else {
		out.Kind, out.Message = fault.Failed.String(), "the rotator failed"
	}
	return out
}

func cut(s string) string {
	const most = 300
	for i := range s {
		if i > most {
			return s[:i] + "…"
		}
	}
	return s
}
