package vault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault"
)

func TestErrorsCarryTheirKind(t *testing.T) {
	for err, kind := range map[error]fault.Kind{vault.ErrSecretNotFound: fault.NotFound, vault.ErrUnauthorized: fault.Denied, vault.ErrVersionConflict: fault.Conflict,
		vault.ErrDecryptionFailed: fault.Internal, vault.ErrInvalidKey: fault.Invalid, vault.ErrNoRootKey: fault.Unavailable} {
		wrapped := fmt.Errorf("doing something: %w", err)
		if !errors.Is(wrapped, err) || !fault.Is(wrapped, kind) {
			t.Errorf("%v is %v", err, fault.KindOf(wrapped))
		}
	}
}

func TestEntity(t *testing.T) {
	e := vault.NewEntity()
	if e.CreatedAt.IsZero() || !e.CreatedAt.Equal(e.UpdatedAt) || e.CreatedAt.Location() != time.UTC {
		t.Errorf("%+v", e)
	}
	time.Sleep(time.Microsecond)
	created := e.CreatedAt
	e.Touch()
	if !e.UpdatedAt.After(created) || !e.CreatedAt.Equal(created) {
		t.Errorf("%+v", e)
	}
}
