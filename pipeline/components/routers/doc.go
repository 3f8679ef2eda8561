// Package routers holds the components of haystack.components.routers: they send what comes in to one of several
// branches.
package routers
