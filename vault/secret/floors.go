package secret

import "sync"

// floors remembers the highest revision of each tenant that this process has seen committed, so that a tenant whose rows all
// went back together is noticed while the process runs. It is bounded: when it is full, any one tenant makes room.
type floors struct {
	mu   sync.Mutex
	seen map[[2]string]int64
}

const maxFloors = 16 << 10

func newFloors() *floors { return &floors{seen: map[[2]string]int64{}} }

// of is the least revision that a transaction which begins now may find.
func (f *floors) of(app, tenant string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[[2]string{app, tenant}]
}

func (f *floors) raise(app, tenant string, revision int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := [2]string{app, tenant}
	if _, have := f.seen[k]; !have && len(f.seen) >= maxFloors {
		for victim := range f.seen {
			delete(f.seen, victim)
			break
		}
	}
	f.seen[k] = max(f.seen[k], revision)
}
