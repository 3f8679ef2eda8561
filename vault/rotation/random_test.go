package rotation_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/rotation"
)

func text(t interface{ Fatal(...any) }, v sealed.Value, err error) string {
	if err != nil {
		t.Fatal(err)
	}
	return string(reveal.Inside(v))
}

// A password has the length asked for, one of each class at least, and nothing that is in no class.
func TestPasswordsHoldTheirClasses(t *testing.T) {
	sets := map[string]string{"lower": "abcdefghijklmnopqrstuvwxyz", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "digit": "0123456789"}
	rapid.Check(t, func(t *rapid.T) {
		spec := rotation.PasswordSpec{Length: rapid.IntRange(8, 80).Draw(t, "length"),
			Classes: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"lower", "upper", "digit", "symbol"}), 1, 4, rapid.ID).Draw(t, "classes"),
			Symbols: rapid.SampledFrom([]string{"", "!", "!@#$%^&*()", `"'\`}).Draw(t, "symbols")}
		clear := rapid.Bool().Draw(t, "ambiguous")
		spec.Ambiguous = &clear
		if !clear {
			spec.Exclude = "xyz"
		}
		v, err := rotation.NewPassword(spec)
		got := text(t, v, err)
		rest := got
		for _, class := range spec.Classes {
			set := sets[class]
			if class == "symbol" {
				if set = spec.Symbols; set == "" {
					set = "-_.~"
				}
			}
			if !strings.ContainsAny(got, set) {
				t.Fatalf("%q has nothing of %s", got, class)
			}
			rest = strings.Map(func(c rune) rune {
				if strings.ContainsRune(set, c) {
					return -1
				}
				return c
			}, rest)
		}
		if len(got) != spec.Length || rest != "" || !clear && strings.ContainsAny(got, "0O1lIxyz") {
			t.Fatalf("%q, of which %q is in no class", got, rest)
		}
	})
}

// Each character is as likely as any other: 256 is no multiple of 66, and a remainder would show.
func TestPasswordsAreNotBiased(t *testing.T) {
	counts, total := map[rune]int{}, 0
	for range 400 {
		v, err := rotation.NewPassword(rotation.PasswordSpec{Length: 1000})
		for _, c := range text(t, v, err) {
			counts[c]++
			total++
		}
	}
	want := float64(total) / 66
	chi := 0.0
	for _, n := range counts {
		chi += (float64(n) - want) * (float64(n) - want) / want
	}
	if len(counts) != 66 || chi > 150 { // 65 degrees of freedom: above 150 once in 10^8
		t.Errorf("%d characters, chi square %.1f", len(counts), chi)
	}
}

func TestPasswordsThatCannotBe(t *testing.T) {
	no := false
	for name, spec := range map[string]rotation.PasswordSpec{
		"too short": {Length: 7}, "too long": {Length: 1025}, "negative": {Length: -1}, "an unknown class": {Classes: []string{"greek"}},
		"nothing left": {Classes: []string{"digit"}, Exclude: "0123456789"}, "a space": {Symbols: "a b"}, "not ASCII": {Symbols: "é"},
		"a class twice": {Classes: []string{"digit", "digit"}}, "all look alike": {Classes: []string{"symbol"}, Symbols: "0O", Ambiguous: &no},
	} {
		if v, err := rotation.NewPassword(spec); !fault.Is(err, fault.Invalid) || !v.IsZero() || fault.From(err).Where.Field == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokens(t *testing.T) {
	for _, tc := range []struct {
		spec   rotation.TokenSpec
		decode func(string) ([]byte, error)
		bytes  int
	}{
		{rotation.TokenSpec{}, base64.RawURLEncoding.DecodeString, 32},
		{rotation.TokenSpec{Bytes: 16, Encoding: "hex", Prefix: "sk_"}, hex.DecodeString, 16},
		{rotation.TokenSpec{Bytes: 1024, Encoding: "base64"}, base64.StdEncoding.DecodeString, 1024},
		{rotation.TokenSpec{Bytes: 33, Encoding: "base64url"}, base64.RawURLEncoding.DecodeString, 33},
	} {
		v, err := rotation.NewToken(tc.spec)
		one := text(t, v, err)
		v, err = rotation.NewToken(tc.spec)
		if two := text(t, v, err); one == two {
			t.Errorf("%+v: twice the same", tc.spec)
		}
		rest, ok := strings.CutPrefix(one, tc.spec.Prefix)
		if raw, err := tc.decode(rest); !ok || err != nil || len(raw) != tc.bytes {
			t.Errorf("%+v: %q, %v", tc.spec, one, err)
		}
	}
	for _, bad := range []rotation.TokenSpec{{Bytes: 15}, {Bytes: 1025}, {Encoding: "base32"}, {Prefix: "a b"}, {Prefix: strings.Repeat("x", 65)}} {
		if _, err := rotation.NewToken(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// FuzzDecodeParams: whatever is accepted means the same when it is written down and read again.
func FuzzDecodeParams(f *testing.F) {
	f.Add(`{"length":12,"classes":["digit"],"symbols":"!"}`)
	f.Add(`{"Length":12}{}`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, s string) {
		var spec, again rotation.PasswordSpec
		if err := rotation.DecodeParams(json.RawMessage(s), &spec); err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		b, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := rotation.DecodeParams(b, &again); err != nil {
			t.Fatalf("%q became %s: %v", s, b, err)
		}
		if v, err := rotation.NewPassword(spec); err == nil && len(reveal.Inside(v)) < 8 {
			t.Fatalf("%q makes a short password", s)
		}
	})
}
