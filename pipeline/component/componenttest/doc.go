// Package componenttest helps to test components: it runs one as the engine would, and catches what the engine relies
// on and cannot check at run time. A component that changes an input, answers with the wrong number of outputs, or is
// wrong when several runs share it, fails here and not in somebody's pipeline.
//
// Only tests import it.
package componenttest
