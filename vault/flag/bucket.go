package flag

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync/atomic"
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

// buckets remembers where units were placed, because hashing costs more than everything else of an evaluation. It has a
// fixed size, and answers for exactly the rule and unit that were put. A unit whose slot is taken moves in now and then
// only: with more units than slots, most evaluations hash, and few allocate.
type buckets struct {
	seed  uint64
	slots [bucketSlots]atomic.Pointer[bucket]
}

const bucketSlots = 4096

type bucket struct {
	rule uint64 // its serial number
	unit string
	n    int
}

func (b *buckets) slot(rule uint64, unit string) *atomic.Pointer[bucket] {
	return &b.slots[(scatter(b.seed^rule*odd, unit)*odd)>>(64-12)]
}

const odd = 0x9e3779b97f4a7c15

// scatter spreads units over slots. It is no more than that: two units in one slot cost a hash, not an answer.
func scatter(h uint64, s string) uint64 {
	for ; len(s) >= 8; s = s[8:] {
		h = (h ^ (uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 |
			uint64(s[7])<<56)) * odd
		h ^= h >> 29
	}
	var last uint64
	for i := range len(s) {
		last = last<<8 | uint64(s[i])
	}
	h = (h ^ last) * odd
	return h ^ h>>32
}

func (b *buckets) get(rule uint64, unit string) (n int, ok bool) {
	if have := b.slot(rule, unit).Load(); have != nil && have.rule == rule && have.unit == unit {
		return have.n, true
	}
	return 0, false
}

func (b *buckets) put(rule uint64, unit string, n int) {
	if slot := b.slot(rule, unit); slot.Load() == nil || rand.Uint32()%64 == 0 {
		slot.Store(&bucket{rule, strings.Clone(unit), n})
	}
}
