package filter

import (
	"strings"
	"time"
	"unicode"
)

// parseLoose reads the spellings of full dates that dateutil.parser.parse understands: "2024/1/5", "1/5/2024 (month
// first)", "5 Jan 2024", "January 5, 2024 10:30 PM", "Fri, 05 Jan 2024 10:00:00 GMT". It asks for year, month and day:
// what dateutil fills in from today's date would make a filter mean something else tomorrow.
func parseLoose(s string) (moment, bool) {
	if len(s) > 64 {
		return moment{}, false
	}
	p := &loose{hour: -1}
	for _, tok := range looseTokens(s) {
		if !p.take(tok) {
			return moment{}, false
		}
	}
	return p.finish()
}

// loose gathers the parts of a date in the order they are met.
type loose struct {
	numbers  []string // candidates for day, month and year, as written
	month    int      // by name
	monthAt  int      // how many numbers stood before the name
	hour     int      // -1: no time met
	clock    time.Duration
	pm, am   bool
	aware    bool
	offset   time.Duration
	finished bool // an offset has been met
}

// looseTokens cuts at white space and commas; a T after a digit also separates.
func looseTokens(s string) []string {
	b := []rune(s)
	for i, r := range b {
		if r == ',' || unicode.IsSpace(r) || (r == 'T' && i > 0 && unicode.IsDigit(b[i-1]) && (i+1 == len(b) || unicode.IsDigit(b[i+1]))) {
			b[i] = ' '
		}
	}
	return strings.Fields(string(b))
}

var monthNames = map[string]int{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9,
	"oct": 10, "nov": 11, "dec": 12, "january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8,
	"september": 9, "october": 10, "november": 11, "december": 12}

var dayNames = map[string]bool{"mon": true, "tue": true, "wed": true, "thu": true, "fri": true, "sat": true, "sun": true,
	"monday": true, "tuesday": true, "wednesday": true, "thursday": true, "friday": true, "saturday": true, "sunday": true}

// noise are words that mean nothing in a date.
var noise = map[string]bool{"at": true, "on": true, "and": true, "of": true, "the": true, "st": true, "nd": true, "rd": true, "th": true}

func (p *loose) take(tok string) bool {
	word := strings.ToLower(strings.TrimSuffix(tok, "."))
	switch {
	case strings.Contains(tok, ":"):
		return p.takeClock(tok)
	case word == "am" || word == "pm":
		p.am, p.pm = word == "am", word == "pm"
		return p.hour >= 0
	case word == "utc" || word == "gmt" || word == "z":
		p.aware = true
		return p.hour >= 0
	case p.hour >= 0 && (tok[0] == '+' || tok[0] == '-'):
		return p.takeOffset(tok)
	case dayNames[word] || noise[word]:
		return true
	case monthNames[word] > 0:
		return p.takeMonth(monthNames[word])
	}
	return p.takeDate(tok)
}

func (p *loose) takeMonth(m int) bool {
	if p.month != 0 {
		return false
	}
	p.month, p.monthAt = m, len(p.numbers)
	return true
}

// takeDate reads one number, an ordinal such as 5th, or several joined by "-", "/" or ".".
func (p *loose) takeDate(tok string) bool {
	for _, part := range strings.FieldsFunc(tok, func(r rune) bool { return r == '-' || r == '/' || r == '.' }) {
		low := strings.ToLower(part)
		if m := monthNames[low]; m > 0 {
			if !p.takeMonth(m) {
				return false
			}
			continue
		}
		for _, suffix := range []string{"st", "nd", "rd", "th"} {
			low = strings.TrimSuffix(low, suffix)
		}
		switch {
		case !digits(low):
			return false
		case len(low) == 8:
			p.numbers = append(p.numbers, low[:4], low[4:6], low[6:])
		case len(low) <= 4:
			p.numbers = append(p.numbers, low)
		default:
			return false
		}
	}
	return len(p.numbers) <= 3
}

func (p *loose) takeClock(tok string) bool {
	if p.hour >= 0 {
		return false
	}
	low := strings.ToLower(tok)
	if cut, ok := strings.CutSuffix(low, "am"); ok {
		low, p.am = cut, true
	} else if cut, ok := strings.CutSuffix(low, "pm"); ok {
		low, p.pm = cut, true
	} else if cut, ok := strings.CutSuffix(low, "z"); ok {
		low, p.aware = cut, true
	}
	if i := strings.IndexAny(low, "+-"); i > 0 {
		if !p.takeOffset(low[i:]) {
			return false
		}
		low = low[:i]
	}
	if i := strings.IndexByte(low, ':'); i == 1 {
		low = "0" + low
	}
	d, ok := isoClock(low)
	p.hour, p.clock = int(d/time.Hour), d
	return ok && d < 24*time.Hour
}

func (p *loose) takeOffset(s string) bool {
	d, ok := isoClock(s[1:])
	if !ok || p.finished || d >= 24*time.Hour {
		return false
	}
	if s[0] == '-' {
		d = -d
	}
	p.aware, p.finished, p.offset = true, true, d
	return true
}

func (p *loose) finish() (moment, bool) {
	y, m, d, ok := p.day()
	if !ok {
		return moment{}, false
	}
	t, ok := civil(y, m, d)
	if !ok {
		return moment{}, false
	}
	if p.am || p.pm {
		if p.hour < 1 || p.hour > 12 {
			return moment{}, false
		}
		if p.hour == 12 {
			p.clock -= 12 * time.Hour
		}
		if p.pm {
			p.clock += 12 * time.Hour
		}
	}
	return moment{wall: t.Add(p.clock), aware: p.aware, offset: p.offset}, true
}

// day decides which number is what: a year is written with more than two digits or is above 31; without a month's name
// and a leading year the month comes first, unless it cannot be one.
func (p *loose) day() (y, m, d int, ok bool) {
	n := p.numbers
	year := func(s string) bool { return len(s) > 2 || number(s) > 31 }
	if p.month > 0 {
		switch {
		case len(n) != 2:
			return 0, 0, 0, false
		case year(n[0]) && !year(n[1]):
			return fullYear(n[0]), p.month, number(n[1]), true
		}
		return fullYear(n[1]), p.month, number(n[0]), !year(n[0])
	}
	if len(n) != 3 {
		return 0, 0, 0, false
	}
	a, b, c := number(n[0]), number(n[1]), number(n[2])
	switch {
	case year(n[0]):
		return fullYear(n[0]), b, c, true
	case a > 12:
		return fullYear(n[2]), b, a, true
	}
	return fullYear(n[2]), a, b, true
}

// fullYear places a two-digit year within fifty years of today's century, as dateutil does for a span that no filter
// leaves: 00 to 75 are 2000 to 2075.
func fullYear(s string) int {
	n := number(s)
	if len(s) > 2 {
		return n
	}
	if n <= 75 {
		return 2000 + n
	}
	return 1900 + n
}
