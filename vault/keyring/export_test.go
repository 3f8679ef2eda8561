package keyring

// Cached is how many opened keys a ring keeps.
func Cached(r *Ring) int {
	r.cache.mu.RLock()
	defer r.cache.mu.RUnlock()
	return len(r.cache.keys)
}

// ParseKey is parseKey, for fuzzing.
var ParseKey = parseKey

// ParseWrapped is parseWrapped, for fuzzing.
func ParseWrapped(text []byte) (kms, root string, err error) {
	k, err := parseWrapped(text)
	return k.KMS, k.Root, err
}
