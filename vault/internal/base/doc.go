// Package base holds what every room of the vault shares: [Entity] and the errors callers match. Callers know them by the
// names of the root package, vault, which joins the rooms and therefore cannot be imported by them.
package base
