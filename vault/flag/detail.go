package flag

import (
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
)

// Reason says why a flag has its value, in OpenFeature's words (https://openfeature.dev/specification/types#resolution-reason).
type Reason string

// The reasons. CACHED, STALE and UNKNOWN do not occur: nothing is served by age.
const (
	ReasonStatic   Reason = "STATIC"          // there is nothing but the default
	ReasonDefault  Reason = "DEFAULT"         // no rule matched, or a prerequisite did not hold
	ReasonMatch    Reason = "TARGETING_MATCH" // a rule, or the tenant's own value
	ReasonSplit    Reason = "SPLIT"           // a rollout or a split put the caller there
	ReasonDisabled Reason = "DISABLED"        // the flag is off
	ReasonError    Reason = "ERROR"
)

// ErrorCode is OpenFeature's code for what went wrong.
type ErrorCode string

// The codes. PROVIDER_NOT_READY and the others that are a client's own do not occur.
const (
	CodeFlagNotFound   ErrorCode = "FLAG_NOT_FOUND"
	CodeParseError     ErrorCode = "PARSE_ERROR"     // what is stored cannot be used
	CodeTypeMismatch   ErrorCode = "TYPE_MISMATCH"   // the flag is of another type than was asked for
	CodeInvalidContext ErrorCode = "INVALID_CONTEXT" // the scope is missing or contradicts itself
	CodeGeneral        ErrorCode = "GENERAL"
)

// Layers of a value: what decided.
const (
	LayerDefault = "default"
	LayerTenant  = "tenant" // the tenant's own value
	LayerRule    = "rule"
)

// Detail is a value and why it is that.
type Detail struct {
	Key          string    `json:"key"`
	Value        any       `json:"value"`
	Variant      string    `json:"variant,omitempty"`
	Reason       Reason    `json:"reason"`
	Layer        string    `json:"layer,omitempty"`
	RuleID       id.ID     `json:"rule_id,omitempty"`
	Version      int64     `json:"version,omitempty"` // of the flag
	ErrorCode    ErrorCode `json:"error_code,omitempty"`
	ErrorMessage string    `json:"error_message,omitempty"` // a sentence for the caller; what a database said is not in it

	flag *compiled // nil after an error
}

// Type returns the type of the flag, "" after an error.
func (d *Detail) Type() Type {
	if d.flag == nil {
		return ""
	}
	return d.flag.typ
}

// Metadata returns what OpenFeature calls the flag metadata, a fresh map: the definition's, and under the names that its
// telemetry knows flagSetId, which is the app, and version; besides them ruleId and layer. It is empty after an error.
func (d *Detail) Metadata() map[string]any {
	out := map[string]any{}
	if d.flag == nil {
		return out
	}
	for k, v := range d.flag.metadata {
		out[k] = v
	}
	out["flagSetId"], out["version"], out["layer"] = d.flag.app, strconv.FormatInt(d.Version, 10), d.Layer
	if d.RuleID != "" {
		out["ruleId"] = d.RuleID.String()
	}
	return out
}

// Of is a value of one type and why it is that. After an error the value is the caller's default.
type Of[T any] struct {
	Value T
	Detail
}

// ErrorCodeOf maps an error to OpenFeature's codes. An error whose code is one of them already keeps it.
func ErrorCodeOf(err error) ErrorCode {
	f := fault.From(err)
	switch f.Code {
	case string(CodeFlagNotFound), string(CodeParseError), string(CodeTypeMismatch), string(CodeInvalidContext):
		return ErrorCode(f.Code)
	case "FlagNotFound":
		return CodeFlagNotFound
	case "TypeMismatch":
		return CodeTypeMismatch
	case "scope":
		return CodeInvalidContext
	case codeParse:
		return CodeParseError
	}
	return CodeGeneral
}

const codeParse = "FlagUnreadable"

// failed is the detail of an evaluation that had no result.
func failed(key string, err error) Detail {
	return Detail{Key: key, Reason: ReasonError, ErrorCode: ErrorCodeOf(err), ErrorMessage: fault.From(err).Message}
}
