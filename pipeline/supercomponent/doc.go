// Package supercomponent is the component that holds a pipeline (haystack/core/super_component), and what is made of it.
// It stands apart from pipeline/components because it knows the engine, which they do not.
package supercomponent
