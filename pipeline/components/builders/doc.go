// Package builders holds the components of haystack.components.builders: they make prompts and answers.
package builders
