// Package openapi describes the doors: an OpenAPI 3.1 document made from the mount list, and a page that shows it to a
// person. Both come from the binary alone: no script is loaded from anywhere, and the page needs none.
//
// Deployed pipelines are described too, for the tenant that asks: each has its own path and the schema of its declared
// inputs ([Document]).
package openapi
