package jinja

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on what a machine has installed

	"github.com/haywardhq/hayward/pipeline/value"
)

type clockKey struct{}

// WithClock makes {% now %} read the given clock instead of the machine's, for renders with the returned context.
func WithClock(ctx context.Context, now func() time.Time) context.Context {
	return context.WithValue(ctx, clockKey{}, now)
}

// NowTag is the tag {% now 'UTC' - 'days=2', '%Y-%m-%d' %} of Haystack's builders: the time in a zone, an optional shift,
// an optional format (haystack/utils/jinja2_extensions.py, over arrow 1.4).
func NowTag() Tag {
	return Tag{Name: "now", Parse: func(p *Parser, line int) (Node, error) {
		zone, err := p.Expression()
		if err != nil {
			return Node{}, err
		}
		format := Literal(value.None)
		if p.SkipComma() {
			if format, err = p.Expression(); err != nil {
				return Node{}, err
			}
		}
		if left, op, right, ok := zone.Binary(); ok {
			return p.Print(line, func(c *Call) (value.Value, error) { return now(c, string(op)) }, left, format, right), nil
		}
		return p.Print(line, func(c *Call) (value.Value, error) { return now(c, "") }, zone, format), nil
	}}
}

// now has the arguments zone, format and, with an operator, offset.
func now(c *Call, op string) (value.Value, error) {
	clock, ok := c.Context().Value(clockKey{}).(func() time.Time)
	if !ok {
		clock = time.Now
	}
	t, err := inZone(clock(), c.Args[0])
	if err != nil {
		text, _ := c.Text(c.Args[0])
		return nil, valueErr("Invalid timezone %s: %s", text, err.Error())
	}
	if op != "" && value.Truthy(c.Args[2]) {
		if t, err = shift(t, op, c.Args[2]); err != nil {
			if errClass(err) == "OverflowError" {
				return nil, err
			}
			text, _ := c.Text(c.Args[2])
			return nil, valueErr("Invalid offset or operator %s, %s: %s", text, op, pyText(err))
		}
	}
	format, isText := str(c.Args[1])
	switch {
	case isText && format != "":
	case value.Truthy(c.Args[1]):
		return nil, typeErr("strftime() argument 1 must be str, not %s", typeName(c.Args[1]))
	default:
		format = "%Y-%m-%d %H:%M:%S"
	}
	out := Strftime(t, format, true)
	return value.Str(out), c.Alloc(len(out))
}

func pyText(err error) string {
	if e, ok := err.(*pyErr); ok {
		return e.msg
	}
	return err.Error()
}

// inZone reads a zone as arrow does: "local", "UTC", an offset such as +02:00, or a name of the zone database.
func inZone(t time.Time, zone value.Value) (time.Time, error) {
	if value.IsNone(zone) {
		return t.UTC(), nil
	}
	name, ok := str(zone)
	if !ok {
		return t, fmt.Errorf("expected string or bytes-like object, got '%s'", typeName(zone))
	}
	switch name {
	case "local":
		return t, nil
	case "utc", "UTC", "Z":
		return t.UTC(), nil
	case "":
		return t, fmt.Errorf("ZoneInfo keys must be normalized relative paths, got: ")
	}
	if loc := offsetZone(name); loc != nil {
		return t.In(loc), nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return t, arrowError("Could not parse timezone expression " + quote(name) + ".")
	}
	return t.In(loc), nil
}

// offsetZone matches [+-]HH[[:]MM] at the start of a name.
func offsetZone(s string) *time.Location {
	for strings.HasPrefix(s, "(UTC") {
		s = s[4:]
	}
	sign := 1
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	two := func(s string) (int, bool) {
		if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
			return 0, false
		}
		return int(s[0]-'0')*10 + int(s[1]-'0'), true
	}
	hours, ok := two(s)
	if !ok || hours > 23 {
		return nil
	}
	minutes, _ := two(strings.TrimPrefix(s[2:], ":"))
	seconds := sign * (hours*3600 + minutes*60)
	if seconds == 0 {
		return time.FixedZone("UTC", 0)
	}
	name := fmt.Sprintf("UTC%s%02d:%02d", map[int]string{1: "+", -1: "-"}[sign], hours, minutes)
	return time.FixedZone(name, seconds)
}

// microseconds of the units that have a fixed length.
var unitMicros = map[string]float64{"weeks": 7 * 86400e6, "days": 86400e6, "hours": 3600e6, "minutes": 60e6,
	"seconds": 1e6, "microseconds": 1}

// shift moves t by "days=1, hours=2" on the wall clock.
func shift(t time.Time, op string, offset value.Value) (time.Time, error) {
	text, ok := str(offset)
	if !ok {
		return t, raise("AttributeError", "'%s' object has no attribute 'split'", typeName(offset))
	}
	years, months, micros := 0.0, 0.0, 0.0
	for _, part := range strings.Split(text, ",") {
		pair := strings.Split(part, "=")
		switch {
		case len(pair) < 2:
			return t, valueErr("not enough values to unpack (expected 2, got 1)")
		case len(pair) > 2:
			return t, valueErr("too many values to unpack (expected 2)")
		}
		unit, amount := value.PyStrip(pair[0]), op+value.PyStrip(pair[1])
		n, ok := parseFloat(amount)
		if !ok {
			return t, valueErr("could not convert string to float: %s", quote(amount))
		}
		if math.IsNaN(n) {
			return t, valueErr("cannot convert float NaN to integer")
		}
		if math.IsInf(n, 0) {
			return t, raise("OverflowError", "cannot convert float infinity to integer")
		}
		switch unit {
		case "years":
			years = n
		case "months":
			months += n
		case "quarters":
			months += 3 * n
		case "weekday":
			return t, valueErr("'float' object has no attribute 'weekday'")
		default:
			size, ok := unitMicros[unit]
			if !ok {
				return t, valueErr("Invalid shift time frame. Please select one of the following: years, months, days, hours, " +
					"minutes, seconds, microseconds, weeks, quarters, weekday.")
			}
			micros += n * size
		}
	}
	return shifted(t, years, months, micros)
}

func shifted(t time.Time, years, months, micros float64) (time.Time, error) {
	if years != math.Trunc(years) || months != math.Trunc(months) {
		return t, valueErr("Non-integer years and months are ambiguous and not currently supported.")
	}
	if math.Abs(years) > 1e6 || math.Abs(months) > 1e7 || math.Abs(micros) > 4e17 {
		return t, raise("OverflowError", "date value out of range")
	}
	total := int(years)*12 + int(months) + int(t.Month()) - 1
	year, month := t.Year()+int(math.Floor(float64(total)/12)), ((total%12)+12)%12+1
	if year < 1 || year > 9999 {
		return t, valueErr("year %s is out of range", strconv.Itoa(year))
	}
	day := min(t.Day(), time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day())
	wall := time.Date(year, time.Month(month), day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	wall = time.UnixMicro(wall.UnixMicro() + int64(math.RoundToEven(micros))).UTC()
	if wall.Year() < 1 || wall.Year() > 9999 {
		return t, raise("OverflowError", "date value out of range")
	}
	return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(),
		t.Location()), nil
}

// arrowError is a sentence of the original's, capital and full stop included.
type arrowError string

func (e arrowError) Error() string { return string(e) }
