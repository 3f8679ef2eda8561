// Package pipelinetest helps to test pipelines: Go twins of the components that Haystack ships for its own tests
// (haystack/testing/sample_components), and recorded runs of Python pipelines with stand-ins for components that are not
// there. Only tests import it.
package pipelinetest
