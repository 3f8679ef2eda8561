package keyring

// Cached is how many opened keys a ring keeps.
func Cached(r *Ring) int {
	r.cache.mu.RLock()
	defer r.cache.mu.RUnlock()
	return len(r.cache.keys)
}

// ParseKey is parseKey, for fuzzing.
var ParseKey = parseKey
