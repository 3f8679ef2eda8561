package filter

import (
	"strconv"
	"strings"
	"time"
)

// parseISO reads what Python 3.11's datetime.fromisoformat reads: dates as YYYY-MM-DD, YYYYMMDD or ISO weeks, any one
// character between date and time, times down to any number of fraction digits (kept to microseconds), Z or an offset.
func parseISO(s string) (moment, bool) {
	n := dateLength(s)
	if n == 0 {
		return moment{}, false
	}
	day, ok := isoDay(s[:n])
	if !ok {
		return moment{}, false
	}
	rest := s[n:]
	if rest == "" {
		return moment{wall: day}, true
	}
	for i := range rest { // the separator is one character, of any length in bytes
		if i > 0 {
			return isoTime(day, rest[i:])
		}
	}
	return moment{}, false
}

// dateLength finds where the date ends.
func dateLength(s string) int {
	switch {
	case len(s) < 7:
		return 0
	case s[4] == '-' && s[5] == 'W': // 2024-W05 or 2024-W05-1
		if len(s) < 8 {
			return 0
		}
		if len(s) > 9 && s[8] == '-' && digits(s[9:10]) && (len(s) == 10 || !digits(s[10:11])) {
			return 10
		}
		return 8
	case s[4] == '-':
		return lengthIf(s, 10)
	case s[4] == 'W': // 2024W05 or 2024W051
		if len(s) >= 8 && digits(s[7:8]) && (len(s)-8 == 0 || !digits(s[8:9])) {
			return 8
		}
		return 7
	}
	return lengthIf(s, 8)
}

func lengthIf(s string, n int) int {
	if len(s) < n {
		return 0
	}
	return n
}

func isoDay(s string) (time.Time, bool) {
	if strings.Contains(s, "W") {
		return isoWeek(strings.ReplaceAll(s, "-", ""))
	}
	if len(s) == 10 {
		if s[4] != '-' || s[7] != '-' {
			return time.Time{}, false
		}
		s = s[:4] + s[5:7] + s[8:]
	}
	if !digits(s) {
		return time.Time{}, false
	}
	return civil(number(s[:4]), number(s[4:6]), number(s[6:8]))
}

func civil(y, m, d int) (time.Time, bool) {
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return t, y >= 1 && y <= 9999 && t.Year() == y && int(t.Month()) == m && t.Day() == d
}

// isoWeek reads YYYYWww or YYYYWwwd.
func isoWeek(s string) (time.Time, bool) {
	if len(s) < 7 || len(s) > 8 || !digits(s[:4]) || s[4] != 'W' || !digits(s[5:]) {
		return time.Time{}, false
	}
	year, week, day := number(s[:4]), number(s[5:7]), 1
	if len(s) == 8 {
		day = number(s[7:])
	}
	jan4 := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	monday := jan4.AddDate(0, 0, -(int(jan4.Weekday())+6)%7)
	t := monday.AddDate(0, 0, (week-1)*7+day-1)
	y, w := t.ISOWeek()
	return t, day >= 1 && day <= 7 && y == year && w == week && year >= 1
}

func isoTime(day time.Time, s string) (moment, bool) {
	m := moment{wall: day}
	clock, zone := s, ""
	if i := strings.IndexAny(s, "+-Z"); i >= 0 {
		clock, zone = s[:i], s[i:]
	}
	d, ok := isoClock(clock)
	if !ok || d >= 24*time.Hour {
		return moment{}, false
	}
	m.wall = day.Add(d)
	switch {
	case zone == "":
	case zone == "Z":
		m.aware = true
	default:
		if m.offset, ok = isoClock(zone[1:]); !ok || m.offset >= 24*time.Hour {
			return moment{}, false
		}
		if m.aware = true; zone[0] == '-' {
			m.offset = -m.offset
		}
	}
	return m, true
}

// isoClock reads HH, HH:MM, HH:MM:SS and HH:MM:SS.fff, with or without colons.
func isoClock(s string) (time.Duration, bool) {
	fraction := ""
	if i := strings.IndexAny(s, ".,"); i >= 0 {
		if s, fraction = s[:i], s[i+1:]; !digits(fraction) || len(strings.ReplaceAll(s, ":", "")) != 6 {
			return 0, false
		}
	}
	var parts []string
	if strings.Contains(s, ":") {
		parts = strings.Split(s, ":")
	} else {
		for ; len(s) >= 2; s = s[2:] {
			parts = append(parts, s[:2])
		}
		if s != "" {
			return 0, false
		}
	}
	if len(parts) < 1 || len(parts) > 3 {
		return 0, false
	}
	limits, total := [3]int{24, 60, 60}, 0
	for i, p := range parts {
		if len(p) != 2 || !digits(p) || number(p) >= limits[i] {
			return 0, false
		}
		total = total*60 + number(p)
	}
	for range 3 - len(parts) {
		total *= 60
	}
	return time.Duration(total)*time.Second + micros(fraction), true
}

// micros reads the digits after the point; those beyond the sixth are cut off.
func micros(fraction string) time.Duration {
	if fraction == "" {
		return 0
	}
	return time.Duration(number((fraction + "000000")[:6])) * time.Microsecond
}

// number reads decimal digits, of which there are few.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
