package api

import "strings"

// firstLine is what encoding/json says about a body: where and which type, never a value.
func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(text, "json: ")
}
