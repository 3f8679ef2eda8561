// Package metrics counts what the vault does: thirteen instruments, which the services of this wing increment when they are
// given a [Collector], and cost nothing when they are not. It is a leaf: it knows no noun and imports the standard library
// only.
//
// Instruments have no labels: tenants and names of keys would make as many series as there are, and tell whoever reads the
// metrics what a tenant has. [Registry] keeps them in memory and writes them in the text format of Prometheus; any other
// library is a [MetricFactory] of two methods.
package metrics
