package flag

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// Bucket is where the documented hash puts a tenant, 0 to 99: the first four bytes of SHA-256(tenant ":" flag), big endian,
// modulo 100. It knows no app and no salt, and "a:b" with "c" is the same as "a" with "b:c"; it is kept so that who moves
// here keeps their rollouts. [SaltedRollout] has none of that.
func Bucket(tenantID, flagKey string) int {
	var buf [192]byte
	b := append(buf[:0], tenantID...)
	b = append(b, ':')
	b = append(b, flagKey...)
	sum := sha256.Sum256(b)
	return int(binary.BigEndian.Uint32(sum[:4]) % 100)
}

// prefix is the part of a salted hash's input that a rule decides: each part with its length in front.
func prefix(salt, app, key string, unit Unit) []byte {
	b := []byte("hayward/rollout/1")
	for _, s := range [...]string{salt, app, key, string(unit)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// place is where the salted hash puts a unit, 0 to n-1: the first eight bytes of SHA-256, scaled, so that no bucket is
// larger than another by more than one in 2^44.
func place(prefix []byte, unit string, n int) int {
	var buf [384]byte
	b := append(buf[:0], prefix...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(unit)))
	b = append(b, unit...)
	sum := sha256.Sum256(b)
	hi, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), uint64(n))
	return int(hi)
}

const whole = 100_000 // thousandths of a percent
