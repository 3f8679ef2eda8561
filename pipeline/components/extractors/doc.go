// Package extractors holds the components of haystack.components.extractors: they take parts out of text by pattern. What
// asks a model for them is not here; the type table next door (components) says so by name.
package extractors
