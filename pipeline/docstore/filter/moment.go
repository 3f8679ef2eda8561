package filter

import (
	"time"

	"github.com/haywardhq/hayward/pipeline/value"
)

// moment is a Python datetime: a wall clock reading, with or without an offset from UTC.
type moment struct {
	wall   time.Time // the clock reading, as if it were UTC; microseconds
	aware  bool
	offset time.Duration // east of UTC, when aware
}

func ofDateTime(d value.DateTime) moment {
	if !d.Aware {
		return moment{wall: d.Time.UTC()}
	}
	_, sec := d.Time.Zone()
	offset := time.Duration(sec) * time.Second
	return moment{wall: d.Time.UTC().Add(offset), aware: true, offset: offset}
}

// compare orders two moments; one without an offset takes the other's.
func (m moment) compare(o moment) int {
	a, b := m.wall, o.wall
	if m.aware && o.aware {
		a, b = a.Add(-m.offset), b.Add(-o.offset)
	}
	return a.Compare(b)
}

// isoDate reads a datetime, or a string that starts with a whole YYYY-MM-DD and then ends or goes on with T, t or a
// space.
func isoDate(v value.Value) (moment, bool) {
	switch v := v.(type) {
	case value.DateTime:
		return ofDateTime(v), true
	case value.Str:
		if s := string(v); looksLikeDate(s) {
			if m, ok := parseISO(s); ok {
				return m, true
			}
			return parseMidnight(s)
		}
	}
	return moment{}, false
}

func looksLikeDate(s string) bool {
	return len(s) >= 10 && digits(s[:4]) && s[4] == '-' && digits(s[5:7]) && s[7] == '-' && digits(s[8:10]) &&
		(len(s) == 10 || s[10] == 'T' || s[10] == 't' || s[10] == ' ')
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// parseMidnight reads 24:00, the end of a day, which ISO 8601 allows and datetime.fromisoformat does not.
func parseMidnight(s string) (moment, bool) {
	if len(s) < 13 || s[11:13] != "24" || s[10] == ' ' {
		return moment{}, false
	}
	m, ok := parseISO(s[:11] + "00" + s[13:])
	if !ok || m.wall.Hour()+m.wall.Minute()+m.wall.Second()+m.wall.Nanosecond() != 0 {
		return moment{}, false
	}
	m.wall = m.wall.AddDate(0, 0, 1)
	return m, true
}

// parseDate reads what an ordering comparison takes for a date: ISO 8601 first, then the common spellings that
// dateutil.parser.parse understands.
func parseDate(s string) (moment, bool) {
	if m, ok := parseISO(s); ok {
		return m, true
	}
	return parseLoose(s)
}

// ParseDate reads a date as an ordering comparison does, and returns it as a datetime.
func ParseDate(s string) (value.Value, bool) {
	m, ok := parseDate(s)
	if !ok {
		return nil, false
	}
	if !m.aware {
		return value.DateTime{Time: m.wall}, true
	}
	zone := time.FixedZone("", int(m.offset/time.Second))
	return value.DateTime{Time: m.wall.Add(-m.offset).In(zone), Aware: true}, true
}
