// Package who turns the scope of a context into arguments, on the first line of the services for flags, config and
// overrides. It is the one place of these rooms that reads identity; below it, app and tenant are arguments.
package who
