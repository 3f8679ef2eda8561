package token

import (
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
)

// cache remembers tokens whose signature was good, by the SHA-256 of their text. It is consulted before the signature
// and never instead of the questions that can change: expiry, the key's presence, revocation, the user.
//
// It is a fixed table of sets of four, without locks: an entry may be overwritten by another token of its set, which
// costs that token one more signature check.
type cache struct {
	slots []atomic.Pointer[entry]
	mask  uint64
}

const ways = 4

type entry struct {
	digest [sha256.Size]byte
	claims Claims
	kid    string
	until  int64 // microseconds
}

// newCache returns a cache of at least size entries, rounded up to a power of two.
func newCache(size int) *cache {
	sets := 1
	for sets*ways < size {
		sets *= 2
	}
	return &cache{slots: make([]atomic.Pointer[entry], sets*ways), mask: uint64(sets - 1)}
}

func (c *cache) set(digest *[sha256.Size]byte) []atomic.Pointer[entry] {
	i := binary.LittleEndian.Uint64(digest[:8]) & c.mask
	return c.slots[i*ways : (i+1)*ways]
}

func (c *cache) get(digest *[sha256.Size]byte, now int64) *entry {
	set := c.set(digest)
	for i := range set {
		if e := set[i].Load(); e != nil && e.digest == *digest && now < e.until {
			return e
		}
	}
	return nil
}

// put stores e in a free or outdated slot of its set, else in the one chosen by its own digest.
func (c *cache) put(e *entry, now int64) {
	set := c.set(&e.digest)
	at := int(e.digest[8] % ways)
	for i := range set {
		if have := set[i].Load(); have == nil || have.until <= now || have.digest == e.digest {
			at = i
			break
		}
	}
	set[at].Store(e)
}
