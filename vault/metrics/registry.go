package metrics

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// Registry is a [MetricFactory] that keeps its instruments in memory. Counting takes no lock and allocates nothing; a counter
// is spread over several words, so that cores do not wait for each other.
type Registry struct {
	mu         sync.Mutex
	counters   map[string]*counter
	histograms map[string]*histogram
	gauges     map[gaugeID]func() float64
}

// gaugeID names a gauge: several that differ in a label are one family.
type gaugeID struct{ name, label, value string }

func (g gaugeID) String() string {
	if g.label == "" {
		return g.name
	}
	return g.name + "{" + g.label + "=" + strconv.Quote(g.value) + "}"
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{counters: map[string]*counter{}, histograms: map[string]*histogram{}, gauges: map[gaugeID]func() float64{}}
}

// Counter returns the counter of a name.
func (r *Registry) Counter(name string) Counter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counters[name] == nil {
		r.counters[name] = &counter{}
	}
	return r.counters[name]
}

// Histogram returns the histogram of a name, with [Buckets].
func (r *Registry) Histogram(name string) Histogram {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.histograms[name] == nil {
		r.histograms[name] = &histogram{}
	}
	return r.histograms[name]
}

// Gauge has read asked for the gauge's value whenever the registry is written. It must be quick, and safe for concurrent use. The
// label tells gauges of one name apart, as sink="webhook"; it is of the program's own making, of letters, digits, dashes and
// underscores, and never a tenant's. An empty label is none. Asked twice, the later function counts.
func (r *Registry) Gauge(name, label, value string, read func() float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gauges[gaugeID{name, label, value}] = read
}

func compareGauges(a, b gaugeID) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.label, b.label), cmp.Compare(a.value, b.value))
}

// Buckets are the upper bounds of a histogram's buckets in seconds: from a flag's hundred nanoseconds to a source that takes
// ten seconds.
var Buckets = [...]float64{1e-7, 2.5e-7, 5e-7, 1e-6, 1e-5, 1e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1, 5, 10}

const shards = 8

// counter counts whole steps in shards and the rest, which nobody uses much, in one place.
type counter struct {
	whole [shards]struct {
		n atomic.Uint64
		_ [56]byte // one cache line each
	}
	rest float
}

func (c *counter) Inc() { c.whole[rand.Uint32()%shards].n.Add(1) }

// Add adds what is not negative; a counter never goes down.
func (c *counter) Add(n float64) {
	switch {
	case !(n > 0) || math.IsInf(n, 0):
	case n == math.Trunc(n) && n < 1<<53:
		c.whole[rand.Uint32()%shards].n.Add(uint64(n))
	default:
		c.rest.add(n)
	}
}

func (c *counter) value() float64 {
	var n uint64
	for i := range c.whole {
		n += c.whole[i].n.Load()
	}
	return float64(n) + c.rest.load()
}

// float is a float64 that several goroutines add to.
type float struct{ bits atomic.Uint64 }

func (f *float) load() float64 { return math.Float64frombits(f.bits.Load()) }

func (f *float) add(n float64) {
	for {
		old := f.bits.Load()
		if f.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+n)) {
			return
		}
	}
}

type histogram struct {
	buckets [len(Buckets) + 1]atomic.Uint64
	sum     float
}

// Observe counts a value; NaN is none.
func (h *histogram) Observe(v float64) {
	if math.IsNaN(v) {
		return
	}
	i, _ := slices.BinarySearch(Buckets[:], v)
	h.buckets[i].Add(1)
	h.sum.add(v)
}

// Value returns what a counter has counted, or how many values a histogram has seen; 0 for a name that nobody asked for.
func (r *Registry) Value(name string) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.counters[name]; c != nil {
		return c.value()
	}
	var n uint64
	if h := r.histograms[name]; h != nil {
		for i := range h.buckets {
			n += h.buckets[i].Load()
		}
	}
	return float64(n)
}

// WriteTo writes everything in the text format of Prometheus, version 0.0.4, by name.
func (r *Registry) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &counting{w: w}
	for _, name := range slices.Sorted(maps.Keys(r.counters)) {
		fmt.Fprintf(out, "# TYPE %s counter\n%s %s\n", name, name, format(r.counters[name].value()))
	}
	family := ""
	for _, id := range slices.SortedFunc(maps.Keys(r.gauges), compareGauges) {
		if id.name != family {
			family = id.name
			fmt.Fprintf(out, "# TYPE %s gauge\n", family)
		}
		fmt.Fprintf(out, "%s %s\n", id, format(r.gauges[id]()))
	}
	for _, name := range slices.Sorted(maps.Keys(r.histograms)) {
		h := r.histograms[name]
		fmt.Fprintf(out, "# TYPE %s histogram\n", name)
		var n uint64
		for i := range h.buckets {
			n += h.buckets[i].Load()
			le := "+Inf"
			if i < len(Buckets) {
				le = format(Buckets[i])
			}
			fmt.Fprintf(out, "%s_bucket{le=\"%s\"} %d\n", name, le, n)
		}
		fmt.Fprintf(out, "%s_sum %s\n%s_count %d\n", name, format(h.sum.load()), name, n)
	}
	return out.n, out.err
}

func format(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// counting remembers how much was written, and the first error.
type counting struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counting) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(p)
	c.n, c.err = c.n+int64(n), err
	return n, err
}
