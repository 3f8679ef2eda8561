package auth

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// MonitorID stands for whoever has the key that reads the metrics. It is no user: users' ids have another form, nobody logs in
// as it, and no token names it.
const MonitorID = "key:metrics"

// MinMachineKey is the least length of a machine's key, in bytes.
const MinMachineKey = 24

// MachineKey is a long-lived credential of a machine outside every tenant, for one purpose: the door that takes it says which. The
// zero MachineKey is nobody's.
type MachineKey struct{ read func() (sealed.Value, error) }

// NewMachineKey returns the key that read gives, which is asked at each use, so that a key that is replaced counts at once. It
// fails if there is none now, or one that could be guessed.
func NewMachineKey(read func() (sealed.Value, error)) (MachineKey, error) {
	v, err := read()
	if err != nil {
		return MachineKey{}, err
	}
	if tooShort(v) {
		return MachineKey{}, fault.New(fault.Invalid, "a machine's key has %d bytes at least", MinMachineKey).
			WithHint("make one with: head -c 32 /dev/urandom | base64")
	}
	return MachineKey{read}, nil
}

func tooShort(v sealed.Value) bool {
	b := reveal.Inside(v)
	defer clear(b)
	return len(b) < MinMachineKey
}

// IsZero reports whether there is no key.
func (k MachineKey) IsZero() bool { return k.read == nil }

// Is reports whether bearer is the key. Time tells nothing of how much of it is right. An error says that the key cannot be read
// or has become too short: it is nobody's then.
func (k MachineKey) Is(bearer string) (bool, error) {
	if k.read == nil {
		return false, nil
	}
	v, err := k.read()
	if err != nil {
		return false, err
	}
	if tooShort(v) {
		return false, fault.New(fault.Invalid, "a machine's key has become too short")
	}
	b := reveal.Inside(v)
	defer clear(b)
	want, got := sha256.Sum256(b), sha256.Sum256([]byte(bearer))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1, nil
}

// MachineRoles are the roles of the ids that stand for machines; 0 for every other id.
func MachineRoles(id string) policy.Roles {
	if id == MonitorID {
		return policy.Monitor
	}
	return 0
}
