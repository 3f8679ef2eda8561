// Package preprocessors holds the components of haystack.components.preprocessors: they clean and split texts.
package preprocessors
