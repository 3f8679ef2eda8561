package password

import "context"

// Occupy takes a slot as a hash under way does, until release is called.
func (h *Hasher) Occupy(ctx context.Context) (release func(), err error) {
	return h.leave, h.enter(ctx)
}
