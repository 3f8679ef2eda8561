// Package writers holds the components of haystack.components.writers: they put documents into the store that the file
// names, under its duplicate policy. They split and embed nothing.
package writers
