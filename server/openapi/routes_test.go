package openapi_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// Every route with what it asks the policy for and what it says of itself: what a review must see when it changes.
func TestTheListOfRoutes(t *testing.T) {
	var lines []string
	for _, r := range routes() {
		who := string(r.Action)
		switch {
		case r.Open != "":
			who = "everybody: " + r.Open
		case r.Self:
			who = "who is logged in"
		}
		params := make([]string, len(r.Params))
		for i, p := range r.Params {
			params[i] = p.Name
		}
		query := ""
		if len(params) > 0 {
			query = " ?" + strings.Join(params, "&")
		}
		lines = append(lines, fmt.Sprintf("%-55s %-6s [%s] %s%s", r.Path, r.Method, who, r.Summary, query))
	}
	slices.Sort(lines)
	got := []byte(strings.Join(lines, "\n") + "\n")
	const file = "testdata/routes.golden"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the routes changed; if that is meant, run with -update:\n%s", got)
	}
}
