// Package hayhooks is the door that speaks Hayhooks' wire (deepset-ai/hayhooks 2.1): deploy, run, status and undeploy of
// YAML pipelines, so that a client of Hayhooks needs nothing but a token.
//
// What differs is on purpose. Every route wants a login. A pipeline file that cannot be loaded is the sender's mistake and
// answers 422, not 500. Names are single words. Declared inputs whose sockets have defaults are optional; unknown inputs
// are errors; dictionaries become Documents and ChatMessages where a socket takes them. Files can be uploaded to a
// pipeline. Python wrappers (deploy_files) are refused: no code is loaded from a request.
package hayhooks
