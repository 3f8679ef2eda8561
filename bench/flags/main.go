package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// The flag that everybody evaluates, and for whom.
const (
	flagKey = "new-dashboard"
	percent = 25
	many    = 1024 // callers, each of a tenant of its own; a power of two
)

var users, tenants = []string{"u-a", "u-b", "u-c"}, []string{"t-a", "t-b", "t-c"}

type caller struct{ tenant, user string }

// contender evaluates the flag for caller i. call is used by several goroutines at once.
type contender struct {
	name  string
	call  func(i int) bool
	close func()
}

// cost is what one evaluation took: by the clock, and of processors, which is what a busy machine does not change.
type cost struct{ wall, cpu float64 } // ns

// result is what one contender took in each round.
type result struct {
	serial, both []cost // on one core and on two
	allocs       float64
}

const (
	rounds = 10
	slice  = 60 * time.Millisecond // that a contender has in each round, on one core
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "flags:", err)
		os.Exit(1)
	}
}

func run() error {
	runtime.GOMAXPROCS(2)
	callers := make([]caller, many)
	for i := range callers {
		callers[i] = caller{fmt.Sprint("tenant-", i), fmt.Sprint("user-", i)}
	}
	var list []contender
	for _, open := range []func([]caller) (contender, error){newFloor, newHayward, newDetail, newGrowthBook, newLaunchDarkly, newOpenFeature, newGOFF, newFlagd} {
		c, err := open(callers)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if c.close != nil {
			defer c.close()
		}
		if n := on(c); n < many/5 || n > many*3/10 {
			return fmt.Errorf("%s turned the flag on for %d of %d tenants, not for a quarter", c.name, n, many)
		}
		list = append(list, c)
	}
	report(list, measure(list))
	return nil
}

// on counts for whom the flag is on: whoever gives everybody the same is not measured.
func on(c contender) (n int) {
	for i := range many {
		if c.call(i) {
			n++
		}
	}
	return n
}

// measure lets the contenders take turns.
func measure(list []contender) []result {
	out, each := make([]result, len(list)), make([]int, len(list))
	for i, c := range list {
		each[i] = calibrate(c)
		out[i].allocs = allocs(c)
	}
	for range rounds {
		for i, c := range list {
			runtime.GC()
			out[i].serial = append(out[i].serial, timed(c, each[i], 1))
			out[i].both = append(out[i].both, timed(c, each[i], 2))
		}
	}
	return out
}

// calibrate finds how many evaluations fill a slice.
func calibrate(c contender) int {
	for n := 1024; ; n *= 2 {
		begin := time.Now()
		loop(c, n, 0)
		if took := time.Since(begin); took > slice/4 {
			return int(float64(n) * float64(slice) / float64(took))
		}
	}
}

// timed returns what one of n evaluations by each of some goroutines cost. With perfect scaling, two take as much of
// processors as one does, and half as long.
func timed(c contender, n, goroutines int) cost {
	begin, used := time.Now(), processors()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() { loop(c, n, g*many/2) })
	}
	wg.Wait()
	all := float64(n * goroutines)
	return cost{float64(time.Since(begin)) / all, float64(processors()-used) / all}
}

// processors is the time that this process had of them.
func processors() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func loop(c contender, n, from int) (on int) {
	for i := range n {
		if c.call((from + i) & (many - 1)) {
			on++
		}
	}
	return on
}

// allocs counts the allocations of one evaluation.
func allocs(c contender) float64 {
	const n = 20_000
	loop(c, n, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	loop(c, n, 0)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / n
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// by picks one number out of every round.
func by(rounds []cost, pick func(cost) float64) []float64 {
	out := make([]float64, len(rounds))
	for i, c := range rounds {
		out[i] = pick(c)
	}
	return out
}

func wall(c cost) float64 { return c.wall }
func cpu(c cost) float64  { return c.cpu }

// ratio divides round by round, so that what slowed a round slows both sides.
func ratio(a, b []float64) float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return median(out)
}

func report(list []contender, results []result) {
	fmt.Printf("%s, %d cores, %d callers, median of %d rounds\n\n", runtime.Version(), runtime.GOMAXPROCS(0), many, rounds)
	fmt.Println("| evaluator | ns | cpu ns | x of the floor (cpu) | ns, two cores | gain of the second (cpu) | allocs |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|")
	for i, c := range list {
		r := results[i]
		one, two, floor := by(r.serial, cpu), by(r.both, cpu), by(results[0].serial, cpu)
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %.0f | %.2f | %.0f |\n", c.name, median(by(r.serial, wall)), median(one), ratio(one, floor),
			median(by(r.both, wall)), 2*ratio(one, two), r.allocs)
	}
}
