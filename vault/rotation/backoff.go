package rotation

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/haywardhq/hayward/sealed"
)

// backoff is how long to wait after failures in a row. The random part keeps policies that failed together from coming back
// together.
type backoff struct{ base, limit time.Duration }

// wait returns the time to wait after the nth failure, counted from 1.
func (b backoff) wait(n int64) time.Duration {
	d := b.limit
	if n < 1 {
		n = 1
	}
	if shift := n - 1; shift < 40 && b.base<<shift > 0 {
		d = min(b.limit, b.base<<shift)
	}
	return d/2 + rand.N(d/2+1)
}

// keeper holds values that a rotator returned and the store did not take, until it does: a simple rotator is not asked a
// second time for one run while its first answer is here.
type keeper struct {
	mu sync.Mutex
	by map[string]sealed.Value // by run
}

func (k *keeper) put(run string, v sealed.Value) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil {
		k.by = map[string]sealed.Value{}
	}
	k.by[run] = v
}

func (k *keeper) get(run string) (sealed.Value, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.by[run]
	return v, ok
}

func (k *keeper) drop(run string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.by, run)
}
