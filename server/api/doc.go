// Package api is the native door: everything the server can do, as JSON over HTTP, described by OpenAPI. Errors are
// problem documents (RFC 9457) with Hayward's kinds. One file per noun; a handler decodes, calls one service, answers.
package api
