package rotation

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// The kinds that every manager knows.
const (
	KindPassword = "random-password"
	KindToken    = "random-token"
)

func builtin() map[string]Staged {
	return map[string]Staged{KindPassword: passwords{}, KindToken: tokens{}}
}

// PasswordSpec says what a random password is made of. The zero value is 32 letters, digits and the symbols -_.~ with at
// least one of each class.
type PasswordSpec struct {
	Length    int      `json:"length,omitempty"`    // characters; 0 means 32, least 8, most 1024
	Classes   []string `json:"classes,omitempty"`   // lower, upper, digit, symbol; at least one character of each is in it; none: all four
	Symbols   string   `json:"symbols,omitempty"`   // the characters of the class symbol; empty: -_.~, which need no escaping in a URL
	Exclude   string   `json:"exclude,omitempty"`   // characters left out, such as those that look alike
	Ambiguous *bool    `json:"ambiguous,omitempty"` // false leaves out 0O1lI
}

var classes = map[string]string{"lower": "abcdefghijklmnopqrstuvwxyz", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "digit": "0123456789"}

const (
	defaultSymbols = "-_.~"
	lookAlike      = "0O1lI"
)

// alphabets returns the characters of each class that must be there.
func (p PasswordSpec) alphabets() ([]string, error) {
	bad := func(field, format string, args ...any) ([]string, error) {
		return nil, fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	if p.Length < 8 || p.Length > 1024 {
		return bad("length", "a password has 8 to 1024 characters, not %d", p.Length)
	}
	for _, c := range p.Symbols {
		if c <= ' ' || c >= 0x7f {
			return bad("symbols", "the symbols of a password are printable ASCII characters other than a space")
		}
	}
	left := p.Exclude
	if p.Ambiguous != nil && !*p.Ambiguous {
		left += lookAlike
	}
	var out []string
	seen := ""
	for _, name := range p.Classes {
		all, ok := classes[name]
		if name == "symbol" {
			all, ok = p.Symbols, true
		}
		if !ok {
			return bad("classes", "a class of characters is none of lower, upper, digit, symbol")
		}
		kept := ""
		for _, c := range all {
			if !strings.ContainsRune(left, c) && !strings.ContainsRune(seen, c) {
				kept, seen = kept+string(c), seen+string(c)
			}
		}
		if kept == "" {
			return bad("classes", "nothing is left of the characters of the class %s", name)
		}
		out = append(out, kept)
	}
	if len(out) > p.Length {
		return bad("length", "a password of %d characters cannot hold one of each class", p.Length)
	}
	return out, nil
}

func (p PasswordSpec) filled() PasswordSpec {
	if p.Length == 0 {
		p.Length = 32
	}
	if len(p.Classes) == 0 {
		p.Classes = []string{"lower", "upper", "digit", "symbol"}
	}
	if p.Symbols == "" {
		p.Symbols = defaultSymbols
	}
	return p
}

// NewPassword returns a random password. Every password that the spec allows is equally likely: it is drawn from the whole
// alphabet, and drawn again until each class is in it.
func NewPassword(spec PasswordSpec) (sealed.Value, error) {
	spec = spec.filled()
	sets, err := spec.alphabets()
	if err != nil {
		return sealed.Value{}, err
	}
	all := strings.Join(sets, "")
	out := make([]byte, spec.Length)
	defer clear(out)
	for {
		for i := range out {
			out[i] = all[below(len(all))]
		}
		if holdsEach(out, sets) {
			return sealed.New(out), nil
		}
	}
}

func holdsEach(password []byte, sets []string) bool {
	for _, set := range sets {
		if !strings.ContainsAny(set, string(password)) {
			return false
		}
	}
	return true
}

// below returns a number from 0 to n-1, each equally likely: crypto/rand.Int draws again instead of dividing.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic("rotation: the system has no randomness left: " + err.Error())
	}
	return int(i.Int64())
}

type passwords struct{}

func (passwords) Create(_ context.Context, s Step) (sealed.Value, error) {
	var spec PasswordSpec
	if err := DecodeParams(s.Params, &spec); err != nil {
		return sealed.Value{}, err
	}
	return NewPassword(spec)
}

func (passwords) Set(context.Context, Step) error  { return nil }
func (passwords) Test(context.Context, Step) error { return nil }
func (passwords) Initial() bool                    { return true }

func (passwords) CheckParams(params json.RawMessage) error {
	var spec PasswordSpec
	if err := DecodeParams(params, &spec); err != nil {
		return err
	}
	_, err := spec.filled().alphabets()
	return err
}

// TokenSpec says how a random token is written.
type TokenSpec struct {
	Bytes    int    `json:"bytes,omitempty"`    // of randomness; 0 means 32, least 16, most 1024
	Encoding string `json:"encoding,omitempty"` // base64url (without padding), base64 or hex; empty: base64url
	Prefix   string `json:"prefix,omitempty"`   // what a token begins with, such as sk_; at most 64 characters
}

// NewToken returns a random token.
func NewToken(spec TokenSpec) (sealed.Value, error) {
	if spec.Bytes == 0 {
		spec.Bytes = 32
	}
	if err := spec.check(); err != nil {
		return sealed.Value{}, err
	}
	raw := make([]byte, spec.Bytes)
	defer clear(raw)
	rand.Read(raw) // never fails, see its documentation
	encode := base64.RawURLEncoding.EncodeToString
	switch spec.Encoding {
	case "base64":
		encode = base64.StdEncoding.EncodeToString
	case "hex":
		encode = hex.EncodeToString
	}
	return sealed.NewString(spec.Prefix + encode(raw)), nil
}

func (t TokenSpec) check() error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	switch t.Encoding {
	case "", "base64url", "base64", "hex":
	default:
		return bad("encoding", "the encoding of a token is base64url, base64 or hex")
	}
	if t.Bytes < 16 || t.Bytes > 1024 {
		return bad("bytes", "a token has 16 to 1024 bytes of randomness, not %d", t.Bytes)
	}
	if len(t.Prefix) > 64 || strings.ContainsFunc(t.Prefix, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return bad("prefix", "the prefix of a token has at most 64 printable ASCII characters and no space")
	}
	return nil
}

type tokens struct{}

func (tokens) Create(_ context.Context, s Step) (sealed.Value, error) {
	var spec TokenSpec
	if err := DecodeParams(s.Params, &spec); err != nil {
		return sealed.Value{}, err
	}
	return NewToken(spec)
}

func (tokens) Set(context.Context, Step) error  { return nil }
func (tokens) Test(context.Context, Step) error { return nil }
func (tokens) Initial() bool                    { return true }

func (tokens) CheckParams(params json.RawMessage) error {
	var spec TokenSpec
	if err := DecodeParams(params, &spec); err != nil {
		return err
	}
	if spec.Bytes == 0 {
		spec.Bytes = 32
	}
	return spec.check()
}
