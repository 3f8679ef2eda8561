package token

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"

	strict "github.com/go-jose/go-jose/v4/json" // refuses duplicate members and matches names by case
)

// Claims are what a token says. Times are in seconds since 1970.
type Claims struct {
	Issuer            string `json:"iss"`
	Audience          string `json:"aud"`
	Subject           string `json:"sub"` // user id
	App               string `json:"app"`
	Tenant            string `json:"tenant"` // tenant id; "" for an operator
	Grant             string `json:"gid"`
	ID                string `json:"jti"`
	CredentialVersion int64  `json:"cv"` // of the user, when the token was made
	IssuedAt          int64  `json:"iat"`
	NotBefore         int64  `json:"nbf"`
	Expires           int64  `json:"exp"`
}

var errShape = errors.New("not a JSON object with exactly the expected members")

// header is the protected header of every token: these three members and no other.
type header struct{ alg, typ, kid string }

func parseHeader(data []byte) (h header, err error) {
	m, err := members(data, "alg", "kid", "typ")
	if err != nil {
		return header{}, err
	}
	err = errors.Join(text(m["alg"], &h.alg), text(m["kid"], &h.kid), text(m["typ"], &h.typ))
	return h, err
}

func parseClaims(data []byte) (c Claims, err error) {
	m, err := members(data, "app", "aud", "cv", "exp", "gid", "iat", "iss", "jti", "nbf", "sub", "tenant")
	if err != nil {
		return Claims{}, err
	}
	for name, to := range map[string]*string{"iss": &c.Issuer, "aud": &c.Audience, "sub": &c.Subject, "app": &c.App,
		"tenant": &c.Tenant, "gid": &c.Grant, "jti": &c.ID} {
		err = errors.Join(err, text(m[name], to))
	}
	for name, to := range map[string]*int64{"cv": &c.CredentialVersion, "iat": &c.IssuedAt, "nbf": &c.NotBefore, "exp": &c.Expires} {
		err = errors.Join(err, integer(m[name], to))
	}
	return c, err
}

// members returns the members of the one JSON object in data, which must be exactly the given ones, sorted.
func members(data []byte, names ...string) (map[string]strict.RawMessage, error) {
	var m map[string]strict.RawMessage
	if !utf8.Valid(data) || strict.Unmarshal(data, &m) != nil || len(m) != len(names) {
		return nil, errShape
	}
	for name := range m {
		if _, ok := slices.BinarySearch(names, name); !ok {
			return nil, errShape
		}
	}
	return m, nil
}

func text(raw []byte, to *string) error {
	if len(raw) == 0 || raw[0] != '"' || strict.Unmarshal(raw, to) != nil {
		return errShape
	}
	return nil
}

// integer reads plain decimal digits: no sign, fraction, exponent or string.
func integer(raw []byte, to *int64) error {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != string(raw) {
		return errShape
	}
	*to = n
	return nil
}

func (c Claims) encode() ([]byte, error) { return json.Marshal(c) }
