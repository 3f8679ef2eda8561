package pipeline

import (
	"errors"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
)

// The codes of the faults that this package returns: the names of Haystack's exception classes
// (haystack/core/errors.py), with their texts as messages.
const (
	CodeValueError           = "ValueError"
	CodePipelineError        = "PipelineError"
	CodeConnectError         = "PipelineConnectError"
	CodeMaxComponentRuns     = "PipelineMaxComponentRuns"
	CodeRuntimeError         = "PipelineRuntimeError"
	CodeComponentsBlocked    = "PipelineComponentsBlockedError"
	CodeDeserializationError = "DeserializationError"
	CodeValidationError      = "PipelineValidationError"
	CodeTypeError            = "TypeError"
	// CodeDestinationMismatch marks a secret that may not go where a component wants to send it.
	CodeDestinationMismatch = "DestinationMismatch"
	// CodeBreakpoint marks a run that stopped on purpose; it passes through unchanged.
	CodeBreakpoint = "BreakpointException"
)

func invalid(code, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithCode(code)
}

// Problems is several faults found together; the first one is the main one, and is what errors.As finds.
type Problems []*fault.Error

// Error lists every problem, one to a paragraph.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, e := range p {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap returns the problems in order.
func (p Problems) Unwrap() []error {
	out := make([]error, len(p))
	for i, e := range p {
		out[i] = e
	}
	return out
}

// add appends what is in err: several problems, a fault, or an error without a kind.
func (p *Problems) add(err error) {
	var many Problems
	switch {
	case err == nil:
	case errors.As(err, &many):
		*p = append(*p, many...)
	default:
		*p = append(*p, fault.From(err))
	}
}

// err returns nil, the only problem, or all of them.
func (p Problems) err() error {
	switch len(p) {
	case 0:
		return nil
	case 1:
		return p[0]
	}
	return p
}

// didYouMean is a hint that names the nearest of what there is, or lists a few.
func didYouMean(err *fault.Error, name string, names []string) *fault.Error {
	if near := component.Nearest(name, names, 3); len(near) > 0 {
		return err.WithHint("did you mean '%s'?", strings.Join(near, "' or '"))
	}
	if len(names) == 0 || len(names) > 12 {
		return err
	}
	return err.WithHint("there are: %s", strings.Join(names, ", "))
}

// className is the last part of a YAML type: Python's __name__ of the class.
func className(typ string) string { return typ[strings.LastIndexByte(typ, '.')+1:] }
