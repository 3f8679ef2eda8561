package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/vault/audit"
)

// floor is bare group commit: those who wait at the same time share one write and one sync of a file.
type floor struct {
	f    *os.File
	mu   sync.Mutex
	cond *sync.Cond
	buf  []byte
	next int64 // the group that is being filled
	done int64 // the last group on disk
	busy bool
}

func newFloor(b *testing.B) *floor {
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "floor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	w := &floor{f: f}
	w.cond = sync.NewCond(&w.mu)
	return w
}

func (w *floor) write(line []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, line...)
	mine := w.next
	for w.busy && w.done <= mine {
		w.cond.Wait()
	}
	if w.done > mine {
		return nil
	}
	w.busy = true
	group := w.buf
	w.buf, w.next = nil, w.next+1
	w.mu.Unlock()
	_, err := w.f.Write(group)
	if err == nil {
		err = dataSync(w.f)
	}
	w.mu.Lock()
	w.busy, w.done = false, w.next
	w.cond.Broadcast()
	return err
}

// rate is how often fn is called in a second by writers at once, for a while.
func rate(b *testing.B, writers int, d time.Duration, fn func() error) float64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range writers {
		wg.Go(func() {
			for time.Since(start) < d {
				if err := fn(); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
}

// entryBytes is what an entry is in the head file.
func entryBytes(b *testing.B, bench *bench) int64 {
	_, before := audit.Carried(bench.heads)
	const n = 10
	for range n {
		if err := bench.log.Record(context.Background(), caller("t"), get("OPENAI_API_KEY"), audit.OK); err != nil {
			b.Fatal(err)
		}
	}
	entries, size := audit.Carried(bench.heads)
	// A line's head is shared by its group: without it, the floor is what many writers write.
	if entries < n {
		b.Fatal("the head file carries no entries")
	}
	return (size-before)/n - headBytes
}

// headBytes is the head in a line, about: chain, number, hash and MAC.
const headBytes = 180

// BenchmarkAuditDurable is entries that are on disk with their head, beside the same number of bytes written to a file with
// group commit and fdatasync: both by turns in one run, the median of ten rounds, as a ratio.
func BenchmarkAuditDurable(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			bench, bare := open(b, b.TempDir()), newFloor(b)
			bench.act("t", "warm")
			line := make([]byte, entryBytes(b, bench))
			for b.Loop() {
				var ratios, floors, audits []float64
				for range 10 {
					f := rate(b, writers, 200*time.Millisecond, func() error { return bare.write(line) })
					a := rate(b, writers, 200*time.Millisecond, func() error {
						return bench.log.Record(context.Background(), caller("t"), get("OPENAI_API_KEY"), audit.OK)
					})
					ratios, floors, audits = append(ratios, a/f), append(floors, f), append(audits, a)
				}
				for _, list := range [][]float64{ratios, floors, audits} {
					slices.Sort(list)
				}
				b.ReportMetric(ratios[5], "ratio")
				b.ReportMetric(floors[5], "bare/s")
				b.ReportMetric(audits[5], "audit/s")
			}
		})
	}
}
