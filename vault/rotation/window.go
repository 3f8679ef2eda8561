package rotation

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on what a machine has installed

	"github.com/haywardhq/hayward/fault"
)

// Window is when a rotation may begin: from one time of day to another, on some days. One that ends before it begins goes on
// after midnight and belongs to the day it began on; equal times are the whole day.
type Window struct {
	Days []string `json:"days,omitempty"` // mon, tue, wed, thu, fri, sat, sun; none: every day
	From string   `json:"from"`           // 15:04
	To   string   `json:"to"`             // 15:04, no longer in the window; 24:00 is the end of the day
}

// schedule is windows as they are asked.
type schedule struct {
	zone  *time.Location
	spans []span
}

// span is one window: minutes of the day, and the days it begins on.
type span struct {
	from, to int
	days     [7]bool // by time.Weekday
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func newSchedule(windows []Window, zone string) (schedule, error) {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	s := schedule{zone: time.UTC}
	if len(windows) > maxWindows {
		return s, fault.New(fault.TooLarge, "a policy has at most %d windows", maxWindows).At(fault.Where{Field: "windows"})
	}
	if zone != "" {
		var err error
		if s.zone, err = time.LoadLocation(zone); err != nil || strings.EqualFold(zone, "local") {
			return s, fault.New(fault.Invalid, "there is no such time zone").At(fault.Where{Field: "time_zone"}).
				WithHint("use a name of the IANA database, such as Europe/Berlin")
		}
	}
	for _, w := range windows {
		p := span{from: minutes(w.From), to: minutes(w.To)}
		if p.from < 0 || p.to < 0 || p.from == 24*60 {
			return s, bad("windows", "a window is from one time of day to another, such as 22:00 to 04:00")
		}
		if p.to <= p.from {
			p.to += 24 * 60
		}
		for _, d := range w.Days {
			n := slices.Index(dayNames, d)
			if n < 0 {
				return s, bad("windows", "a day of a window is none of mon, tue, wed, thu, fri, sat, sun")
			}
			p.days[n] = true
		}
		if len(w.Days) == 0 {
			p.days = [7]bool{true, true, true, true, true, true, true}
		}
		s.spans = append(s.spans, p)
	}
	return s, nil
}

// minutes reads "15:04" as minutes of the day; anything else is -1.
func minutes(s string) int {
	if s == "24:00" {
		return 24 * 60
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != 5 {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

// next returns the first moment from t on at which a rotation may begin.
func (s schedule) next(t time.Time) time.Time {
	if len(s.spans) == 0 {
		return t
	}
	local := t.In(s.zone)
	var best time.Time
	for day := -1; day <= 8; day++ { // a window of yesterday may still be open; the same weekday comes again after seven
		for _, p := range s.spans {
			from, to := p.on(local, day)
			if !p.days[from.Weekday()] || !to.After(t) {
				continue
			}
			if from.Before(t) {
				from = t
			}
			if best.IsZero() || from.Before(best) {
				best = from
			}
		}
	}
	return best.In(t.Location())
}

// on returns when the window begins and ends that begins so many days after that of t. time.Date reads times that a change
// of the clock skips or repeats.
func (p span) on(t time.Time, days int) (from, to time.Time) {
	y, m, d := t.Date()
	at := func(n int) time.Time { return time.Date(y, m, d+days, 0, n, 0, 0, t.Location()) }
	return at(p.from), at(p.to)
}
