package component

import "fmt"

// InvalidOutputError says that a component returned something that is not a mapping. Components written in Go cannot;
// one that runs foreign code can, and returns this. The engine turns it into Haystack's own message
// (haystack/core/errors.py, PipelineRuntimeError.from_invalid_output).
type InvalidOutputError struct {
	TypeName string // the Python name of what was returned: "int", "NoneType"
}

// Error says what came instead of a mapping.
func (e *InvalidOutputError) Error() string {
	return fmt.Sprintf("expected a dictionary, but got %s instead", e.TypeName)
}
