package password

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// Bounds on the parameters of a hash string. Beyond them a string is refused, not clamped.
const (
	maxHashText   = 512
	maxMemory     = 256 << 10 // KiB
	maxTime       = 10
	maxThreads    = 16
	minSalt       = 8
	maxSalt       = 64
	minKey        = 16
	maxKey        = 64
	minBcryptCost = 4
	maxBcryptCost = 15 // about two seconds
)

// Params are the costs of argon2id.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
	Salt    int // bytes
	Key     int // bytes
}

// DefaultParams returns the least OWASP recommends for argon2id: 19 MiB, two passes, one thread.
func DefaultParams() Params { return Params{Memory: 19 << 10, Time: 2, Threads: 1, Salt: 16, Key: 32} }

// check reports whether p is within the bounds.
func (p Params) check() bool {
	return p.Threads >= 1 && p.Threads <= maxThreads && p.Time >= 1 && p.Time <= maxTime &&
		p.Memory >= 8*uint32(p.Threads) && p.Memory <= maxMemory &&
		p.Salt >= minSalt && p.Salt <= maxSalt && p.Key >= minKey && p.Key <= maxKey
}

// weakerThan compares the work (memory times passes) and the lengths.
func (p Params) weakerThan(want Params) bool {
	return uint64(p.Memory)*uint64(p.Time) < uint64(want.Memory)*uint64(want.Time) || p.Key < want.Key || p.Salt < want.Salt
}

// parsed is a hash string taken apart: either bcrypt, or argon2id with its parts.
type parsed struct {
	bcrypt []byte
	params Params
	salt   []byte
	key    []byte
}

func refuse(why string) (parsed, error) {
	return parsed{}, fault.New(fault.Invalid, "the password hash %s", why).At(fault.Where{Field: "password_hash"}).
		WithHint("argon2id ($argon2id$v=19$m=...,t=...,p=...$salt$key) and bcrypt ($2a$, $2b$, $2y$) are understood")
}

// Check reports why s is not a hash string this package verifies, or nil. Imports call it before they store one.
func Check(s string) error {
	_, err := parse(s)
	return err
}

func parse(s string) (parsed, error) {
	switch {
	case len(s) > maxHashText:
		return refuse("is too long")
	case strings.HasPrefix(s, "$argon2id$"):
		return parseArgon2id(s)
	case strings.HasPrefix(s, "$2a$"), strings.HasPrefix(s, "$2b$"), strings.HasPrefix(s, "$2y$"):
		return parseBcrypt(s)
	}
	return refuse("is of no known kind")
}

// parseArgon2id reads the PHC string format (github.com/P-H-C/phc-string-format) in the one form that libargon2, passlib
// and pwdlib write.
func parseArgon2id(s string) (parsed, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[2] != "v=19" {
		return refuse("is not argon2id version 19 with parameters, salt and key")
	}
	p, ok := parseCosts(part[3])
	if !ok {
		return refuse("has costs that are not m=...,t=...,p=... in plain decimals")
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(part[4])
	key, err2 := base64.RawStdEncoding.Strict().DecodeString(part[5])
	if err1 != nil || err2 != nil || strings.ContainsAny(part[4]+part[5], "\r\n") {
		return refuse("has a salt or key that is not unpadded base64")
	}
	p.Salt, p.Key = len(salt), len(key)
	if !p.check() {
		return refuse("asks for costs or lengths beyond what is allowed (m up to 262144, t up to 10, p up to 16, " +
			"salt 8 to 64 and key 16 to 64 bytes)")
	}
	return parsed{params: p, salt: salt, key: key}, nil
}

func parseCosts(s string) (Params, bool) {
	var n [3]uint64
	part := strings.Split(s, ",")
	if len(part) != 3 {
		return Params{}, false
	}
	for i, name := range [3]string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(part[i], name)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || strconv.FormatUint(v, 10) != digits {
			return Params{}, false
		}
		n[i] = v
	}
	if n[2] > maxThreads { // before it is narrowed
		return Params{}, true
	}
	return Params{Memory: uint32(n[0]), Time: uint32(n[1]), Threads: uint8(n[2])}, true
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func parseBcrypt(s string) (parsed, error) {
	if len(s) != 60 || s[6] != '$' || strings.Trim(s[7:], bcryptAlphabet) != "" {
		return refuse("is not a whole bcrypt hash")
	}
	cost, err := strconv.ParseUint(s[4:6], 10, 8)
	if err != nil || cost < minBcryptCost || cost > maxBcryptCost {
		return refuse("has a bcrypt cost outside 4 to 15")
	}
	return parsed{bcrypt: []byte(s)}, nil
}

// format writes the PHC string.
func format(p Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return "$argon2id$v=19$m=" + strconv.FormatUint(uint64(p.Memory), 10) + ",t=" + strconv.FormatUint(uint64(p.Time), 10) +
		",p=" + strconv.Itoa(int(p.Threads)) + "$" + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key)
}
