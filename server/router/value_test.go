package router_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/server/router"
)

// A number comes as the Go type that holds it exactly, or as its text.
func TestValueKeepsEveryDigit(t *testing.T) {
	for text, want := range map[string]string{
		`1`: "int64 1", `-7`: "int64 -7", `9007199254740993`: "int64 9007199254740993", `18446744073709551615`: "uint64 18446744073709551615",
		`0.1`: "float64 0.1", `1.5`: "float64 1.5", `1.50`: "json.Number 1.50", `1e400`: "json.Number 1e400", `0.30000000000000000001`: "json.Number 0.30000000000000000001",
		`-0`: "float64 -0", `"a"`: "string a", `true`: "bool true", `null`: "<nil> <nil>", `[1, 2.50]`: "[]interface {} [1 2.50]",
		`{"a": 12345678901234567890123}`: "map[string]interface {} map[a:12345678901234567890123]",
	} {
		var v struct {
			Value router.Value `json:"value"`
		}
		if err := router.DecodeJSON([]byte(`{"value": `+text+`}`), &v); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := fmt.Sprintf("%T %v", v.Value.Any, v.Value.Any); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
		if b, err := json.Marshal(v.Value); err != nil || !json.Valid(b) {
			t.Errorf("%s is written as %s, %v", text, b, err)
		}
	}
}
