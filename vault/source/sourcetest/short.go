package sourcetest

import (
	"context"
	"testing"
)

// ctx keeps signatures of the suite on one line.
type ctx = context.Context

func withCancel(t *testing.T) (ctx, context.CancelFunc) { return context.WithCancel(t.Context()) }
