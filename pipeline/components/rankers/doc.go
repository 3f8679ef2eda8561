// Package rankers holds the components of haystack.components.rankers that need no model: they put documents in another
// order, and neither fetch nor write any.
package rankers
