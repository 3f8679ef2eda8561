package id

import (
	"encoding/base32"
	"strings"

	"github.com/google/uuid"

	"github.com/haywardhq/hayward/fault"
)

// Prefix says what kind of thing an id names.
type Prefix string

// The prefixes of the vault wing.
const (
	Secret   Prefix = "sec"
	Flag     Prefix = "flag"
	Rule     Prefix = "rule"
	Segment  Prefix = "seg"
	Config   Prefix = "cfg"
	Override Prefix = "ovr"
	Rotation Prefix = "rot"
	Version  Prefix = "ver"
	Audit    Prefix = "vaudit"
	Key      Prefix = "key"
)

// ID is a prefix, an underscore and 26 characters: 16 bytes in lower-case base32 (RFC 4648 "extended hex", which keeps
// the order of the bytes).
type ID string

var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// New returns a fresh id. It panics if the system has no randomness left to give.
func New(p Prefix) ID {
	u := uuid.Must(uuid.NewV7())
	b := append(append(make([]byte, 0, len(p)+1+26), p...), '_')
	return ID(encoding.AppendEncode(b, u[:]))
}

// Parse checks that s is an id with the prefix p.
func Parse(p Prefix, s string) (ID, error) {
	rest, ok := strings.CutPrefix(s, string(p)+"_")
	raw, err := encoding.DecodeString(rest)
	if !ok || err != nil || len(rest) != 26 || len(raw) != 16 {
		return "", fault.New(fault.Invalid, "not an id of the kind %q", string(p)).WithHint("ids look like %s", New(p))
	}
	return ID(s), nil
}

// Prefix returns the part before the last underscore.
func (i ID) Prefix() Prefix {
	if n := strings.LastIndexByte(string(i), '_'); n >= 0 {
		return Prefix(i[:n])
	}
	return ""
}

// String returns the id as text.
func (i ID) String() string { return string(i) }
