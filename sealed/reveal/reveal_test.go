package reveal_test

import (
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

func TestForOpensOnlyTowardsItsDestinations(t *testing.T) {
	api, other := sealed.MustDestination("https://api.openai.com"), sealed.MustDestination("https://evil.example")
	key := sealed.NewString("sk-canary")
	for _, tc := range []struct {
		name string
		v    sealed.Value
		dest sealed.Destination
		want fault.Kind
		says []string // the error names both sides
	}{
		{"allowed", key.For(other, api), api, 0, nil},
		{"another host", key.For(api), other, fault.Denied, []string{"https://evil.example", "https://api.openai.com"}},
		{"plaintext", key.For(api), sealed.MustDestination("http://api.openai.com"), fault.Denied, []string{"http://api.openai.com", "it is for https://api.openai.com"}},
		{"undecided", key, api, fault.Denied, []string{"nobody has said"}},
		{"nowhere", key.For(), api, fault.Denied, []string{"may not be sent to https://api.openai.com"}},
		{"nothing sealed", sealed.Value{}, api, fault.Invalid, []string{"there is no value"}},
		{"no destination", key.For(api), sealed.Destination{}, fault.Denied, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := reveal.For(tc.v, tc.dest)
			if tc.says == nil && tc.want == 0 {
				if err != nil || string(got) != "sk-canary" {
					t.Fatalf("got %q, %v", got, err)
				}
				return
			}
			if !fault.Is(err, tc.want) || got != nil {
				t.Fatalf("got %q, %v", got, err)
			}
			for _, s := range append(tc.says, "") {
				if !strings.Contains(err.Error(), s) || strings.Contains(err.Error(), "sk-canary") {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if tc.want == fault.Denied && (fault.From(err).Code != "DestinationMismatch" || fault.From(err).Hint == "") {
				t.Errorf("code %q, hint %q", fault.From(err).Code, fault.From(err).Hint)
			}
		})
	}
}
