package keyring

import (
	"context"
)

// Rotator is a [Provider] that can put another root key in the place of the one it has. Its three steps happen in order and
// may each happen again after a crash; between them it has two keys.
type Rotator interface {
	Provider
	// Next returns the key that is to follow. With create it makes one, on disk before it returns, if there is none yet;
	// without, it returns the zero Root then.
	Next(ctx context.Context, create bool) (Root, error)
	// Promote puts the next key, which has the given id, in the place of the current one and destroys that, as far as it
	// can. If the operator must do part of it, advice says what.
	Promote(ctx context.Context, rootID string) (advice string, err error)
}

func nextOf(ctx context.Context, p Provider) (Root, error) {
	if rot, ok := p.(Rotator); ok {
		return rot.Next(ctx, false)
	}
	return Root{}, nil
}
