package main

import (
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
)

// floor is the least such a flag can cost: a snapshot that may be replaced, two lists, one hash.
type floor struct {
	key            string
	users, tenants []string
	percent        uint32
}

func newFloor(callers []caller) (contender, error) {
	var snapshot atomic.Pointer[map[string]*floor]
	snapshot.Store(&map[string]*floor{flagKey: {flagKey, users, tenants, percent}})
	return contender{name: "floor: snapshot, three rules, SHA-256", call: func(i int) bool {
		return (*snapshot.Load())[flagKey].on(callers[i].tenant, callers[i].user)
	}}, nil
}

func (f *floor) on(tenant, user string) bool {
	for _, u := range f.users {
		if u == user {
			return true
		}
	}
	for _, t := range f.tenants {
		if t == tenant {
			return true
		}
	}
	var buf [192]byte
	b := append(buf[:0], tenant...)
	b = append(b, ':')
	b = append(b, f.key...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint32(sum[:4])%100 < f.percent
}
