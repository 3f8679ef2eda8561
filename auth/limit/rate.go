package limit

import (
	"strconv"
	"time"
)

// Rate is a quota: Quota units in each Window, all of which may be spent at once and which come back one by one.
type Rate struct {
	Quota  int           // units; at least 1
	Window time.Duration // at least one nanosecond per unit; rounded down to a multiple of it
}

// valid returns r with its fields raised to their least values: a rate of nothing would divide by zero.
func (r Rate) valid() Rate {
	r.Quota = max(1, r.Quota)
	r.Window = max(time.Duration(r.Quota), r.Window)
	return r
}

// interval is the time in which one unit comes back.
func (r Rate) interval() int64 { return int64(r.Window) / int64(r.Quota) }

// Decision is the answer to one attempt.
type Decision struct {
	Allowed    bool
	Name       string        // the name of the limit, where several were checked
	Rate       Rate          // the limit that answered
	Remaining  int           // units left
	RetryAfter time.Duration // when refused: how long until one unit is there; else 0
	Reset      time.Duration // how long until the whole quota is there
	Shared     bool          // counted in an overflow bucket, because the table is full
}

// decide is GCRA: tat is when the quota is whole again. It returns the new tat if the attempt is allowed.
func decide(now, tat int64, r Rate) (next int64, d Decision) {
	interval := r.interval()
	burst := interval * int64(r.Quota)
	base := max(now, tat)
	next = base + interval
	d = Decision{Rate: r}
	if over := next - burst - now; over > 0 {
		d.RetryAfter = time.Duration(over)
		d.Reset = time.Duration(base - now)
		return tat, d
	}
	d.Allowed = true
	d.Remaining = int((burst - (next - now)) / interval)
	d.Reset = time.Duration(next - now)
	return next, d
}

// Seconds returns d in whole seconds, rounded up, at least 1 for anything positive: the form of Retry-After.
func Seconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d + time.Second - 1) / time.Second)
}

// Policy returns the value of the RateLimit-Policy header, for example `"tenant";q=600;w=60`.
func (d Decision) Policy() string {
	return `"` + d.Name + `";q=` + strconv.Itoa(d.Rate.Quota) + ";w=" + strconv.Itoa(Seconds(d.Rate.Window))
}

// Header returns the value of the RateLimit header, for example `"tenant";r=599;t=1`: t is the time until the quota is
// whole again, and after a refusal the time until one unit is there, so that it equals Retry-After.
func (d Decision) Header() string {
	t := d.Reset
	if !d.Allowed {
		t = d.RetryAfter
	}
	return `"` + d.Name + `";r=` + strconv.Itoa(d.Remaining) + ";t=" + strconv.Itoa(Seconds(t))
}
