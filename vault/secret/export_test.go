package secret

import (
	"context"
	"strconv"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// WriteAsBefore writes a secret's rows as programs did that kept no manifest and no ledger.
func (s *Service) WriteAsBefore(ctx context.Context, tx driver.Tx, o Owner, name string, values ...string) error {
	head := driver.SecretRow{App: o.App, Tenant: o.Tenant, Name: name, ID: id.New(id.Secret).String(), CreatedAt: 1, UpdatedAt: 2}
	for _, value := range values {
		head.Latest++
		head.Current = head.Latest
		v := driver.SecretVersion{App: o.App, Tenant: o.Tenant, Name: name, Version: head.Latest, ID: id.New(id.Version).String(),
			Metadata: "{}", Destinations: "[]", CreatedAt: head.Latest, CreatedBy: "ann"}
		box, err := s.ring.Seal(ctx, tx, place(&v), sealed.NewString(value))
		if err != nil {
			return err
		}
		v.KeyID, v.Algorithm, v.Ciphertext = box.KeyID, box.Algorithm, box.Ciphertext
		if err := tx.AddSecretVersion(ctx, v); err != nil {
			return err
		}
		if head.Mark, err = s.ring.Mark(ctx, tx, markPlace(head, v.Ciphertext)); err != nil {
			return err
		}
	}
	return tx.PutSecret(ctx, head)
}

// MostRemembered is how many heads a service remembers.
const MostRemembered = maxHot

// Remembered is how many heads a service remembers now.
func Remembered(s *Service) int {
	s.hot.mu.RLock()
	defer s.hot.mu.RUnlock()
	return len(s.hot.entries)
}

// Remember has a service remember n heads that are not there.
func Remember(s *Service, n int) {
	for i := range n {
		s.hot.put(target{"myapp", "t", strconv.Itoa(i)}, s.hot.generation.Load(), &checked{missing: true})
		s.floors.raise("myapp", strconv.Itoa(i), 1)
	}
}
