package secret

import (
	"encoding/json"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// manifest says which versions a secret has and what became of each. It stands in the head and is under its mark, so that
// nobody who can write rows can undo a deletion or a destruction.
type manifest struct {
	Restore  int64   `json:"restore,omitempty"` // the version that undeleting makes current again
	Versions []state `json:"versions"`          // ascending
}

// state is one version in a manifest. Times are microseconds since 1970, 0 for never.
type state struct {
	N         int64  `json:"n"`
	ID        string `json:"id"`
	CreatedAt int64  `json:"at"`
	CreatedBy string `json:"by,omitempty"`
	ExpiresAt int64  `json:"expires,omitempty"`
	DeletedAt int64  `json:"deleted,omitempty"`
	Destroyed int64  `json:"destroyed,omitempty"`
	KeepUntil int64  `json:"keep,omitempty"` // not pruned before
}

func (st *state) readable() bool { return st != nil && st.DeletedAt == 0 && st.Destroyed == 0 }

func (m *manifest) find(n int64) *state {
	i, ok := slices.BinarySearchFunc(m.Versions, n, func(s state, n int64) int { return int(s.N - n) })
	if !ok {
		return nil
	}
	return &m.Versions[i]
}

func (m *manifest) add(v *driver.SecretVersion) {
	m.Versions = append(m.Versions, stateOf(v))
}

func stateOf(v *driver.SecretVersion) state {
	return state{N: v.Version, ID: v.ID, CreatedAt: v.CreatedAt, CreatedBy: v.CreatedBy, ExpiresAt: v.ExpiresAt}
}

func (m *manifest) encode() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("secret: a manifest does not encode: " + err.Error())
	}
	return string(b)
}

func decodeManifest(head *driver.SecretRow) (m manifest, err error) {
	if json.Unmarshal([]byte(head.Versions), &m) != nil {
		return m, fault.Wrap(fault.Internal, base.ErrTampered, "the record of the secret %s is not what was written", head.Name)
	}
	return m, nil
}

// oldManifest is what a head of an earlier program, which kept no manifest, would have: every row is a version.
func oldManifest(head *driver.SecretRow, rows []driver.SecretVersion) (m manifest) {
	for i := range rows {
		m.add(&rows[i])
	}
	m.Restore = head.Current
	return m
}
