package keys

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Signer returns the key that signs the checkpoints of a store, making it if there is none, and every key that ever did.
func Signer(ctx context.Context, st driver.Store, ring *keyring.Ring) (audit.Signer, audit.PublicKeys, error) {
	var s *keyring.Signer
	var former []keyring.PublicKey
	err := st.Update(ctx, func(tx driver.Tx) (err error) {
		if s, err = ring.Signer(ctx, tx, audit.SigningPurpose); err != nil {
			return err
		}
		former, err = ring.PublicKeys(ctx, tx, audit.SigningPurpose)
		return err
	})
	if err != nil {
		return audit.Signer{}, audit.PublicKeys{}, err
	}
	text, err := Lines(former)
	if err != nil {
		return audit.Signer{}, audit.PublicKeys{}, err
	}
	trusted, err := audit.ParseKeys(text)
	return audit.Signer{ID: s.ID(), Public: s.Public(), Sign: func(m []byte) ([]byte, error) { return s.Sign(m), nil }}, trusted, err
}

// Lines writes public keys as audit.ParseKeys reads them, one a line: what is given to those who verify.
func Lines(list []keyring.PublicKey) (string, error) {
	var lines []string
	for _, k := range list {
		line, err := audit.Signer{ID: k.ID, Public: k.Key}.Key()
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n") + "\n", nil
}
