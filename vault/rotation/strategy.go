package rotation

import (
	"context"

	"github.com/haywardhq/hayward/sealed"
)

// RegisterStrategy sets the function that rotates what a policy of this kind is about, knowing the secret's name: the
// documented form of a plugin (plugin.RotationStrategy). Like a [Rotator] it must change nothing outside.
func (m *Manager) RegisterStrategy(kind string, fn func(ctx context.Context, key string, current []byte) ([]byte, error)) {
	m.RegisterKind(kind, strategy{fn: fn})
}

type strategy struct {
	simple
	fn func(ctx context.Context, key string, current []byte) ([]byte, error)
}

func (s strategy) Create(ctx context.Context, step Step) (sealed.Value, error) {
	named := simple{func(ctx context.Context, current []byte) ([]byte, error) { return s.fn(ctx, step.SecretKey, current) }}
	return named.Create(ctx, step)
}
