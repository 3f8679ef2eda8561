package jinja

import (
	"time"

	"github.com/haywardhq/hayward/pipeline/value"
)

// goTime returns a date or datetime as Go's time; dates are at midnight UTC.
func goTime(v value.Value) time.Time {
	switch v := v.(type) {
	case value.DateTime:
		return v.Time
	case value.Date:
		return time.Date(v.Year, time.Month(v.Month), v.Day, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}
}

func timeNumber(fn func(t time.Time) int) method {
	return func(_ *run, self value.Value, _ *args) (value.Value, error) { return value.Int(fn(goTime(self))), nil }
}

func timeCall(name string, fn func(v value.Value) value.Value) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		return fn(self), a.builtin(self, name, 0, 0)
	}
}

var dateAttrs = map[string]method{
	"year":  timeNumber(time.Time.Year),
	"month": timeNumber(func(t time.Time) int { return int(t.Month()) }),
	"day":   timeNumber(time.Time.Day),
}

var timeAttrs = map[string]method{
	"hour":        timeNumber(time.Time.Hour),
	"minute":      timeNumber(time.Time.Minute),
	"second":      timeNumber(time.Time.Second),
	"microsecond": timeNumber(func(t time.Time) int { return t.Nanosecond() / 1000 }),
}

var dateMethods = map[string]method{
	"strftime": func(r *run, self value.Value, a *args) (value.Value, error) {
		got, err := (&cKeywords{name: "strftime", params: []string{"format"}, required: 1, most: 1}).unpack(a)
		if err != nil {
			return nil, err
		}
		format, err := textArg(got[0], "strftime", 1)
		if err != nil {
			return nil, err
		}
		zone := false
		if d, ok := self.(value.DateTime); ok {
			zone = d.Aware
		}
		out := Strftime(goTime(self), format, zone)
		return value.Str(out), r.alloc(len(out))
	},
	"isoformat": func(_ *run, self value.Value, a *args) (value.Value, error) {
		got, err := a.bind("isoformat", []string{"sep"}, 0)
		if err != nil {
			return nil, err
		}
		switch v := self.(type) {
		case value.Date:
			return value.Str(v.ISO()), nil
		case value.DateTime:
			sep := byte('T')
			if s, ok := str(got[0]); ok && len(s) == 1 {
				sep = s[0]
			}
			return value.Str(v.ISO(sep)), nil
		}
		return value.None, nil
	},
	"weekday":    timeCall("weekday", func(v value.Value) value.Value { return value.Int(goTime(v).Weekday()+6) % 7 }),
	"isoweekday": timeCall("isoweekday", func(v value.Value) value.Value { return value.Int(goTime(v).Weekday()+6)%7 + 1 }),
	"toordinal": timeCall("toordinal", func(v value.Value) value.Value {
		t := goTime(v)
		day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		return value.Int(day.Unix()/86400 + 719163)
	}),
}

var timeMethods = map[string]method{
	"date": timeCall("date", func(v value.Value) value.Value {
		t := goTime(v)
		return value.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
	}),
	"timestamp": timeCall("timestamp", func(v value.Value) value.Value {
		return value.Float(float64(goTime(v).UnixMicro()) / 1e6)
	}),
}
