package value

import (
	"fmt"
	"time"
)

// ISO returns the date's isoformat(), for example "2024-02-29".
func (d Date) ISO() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

func (d Date) appendRepr(dst []byte) []byte {
	return fmt.Appendf(dst, "datetime.date(%d, %d, %d)", d.Year, d.Month, d.Day)
}

// ISO returns the datetime's isoformat with the given separator ('T' for isoformat(), ' ' for str()).
func (d DateTime) ISO(sep byte) string {
	t := d.wall()
	out := t.Format("2006-01-02") + string(sep) + t.Format("15:04:05")
	if us := t.Nanosecond() / 1000; us != 0 {
		out += fmt.Sprintf(".%06d", us)
	}
	if !d.Aware {
		return out
	}
	return out + offsetText(d.offset())
}

// wall returns the clock reading: in UTC for a naive datetime.
func (d DateTime) wall() time.Time {
	if d.Aware {
		return d.Time
	}
	return d.Time.UTC()
}

// offset returns the seconds east of UTC.
func (d DateTime) offset() int {
	_, sec := d.Time.Zone()
	return sec
}

func offsetText(sec int) string {
	sign := '+'
	if sec < 0 {
		sign, sec = '-', -sec
	}
	out := fmt.Sprintf("%c%02d:%02d", sign, sec/3600, sec/60%60)
	if sec%60 != 0 {
		out += fmt.Sprintf(":%02d", sec%60)
	}
	return out
}

func (d DateTime) appendRepr(dst []byte) []byte {
	t := d.wall()
	dst = fmt.Appendf(dst, "datetime.datetime(%d, %d, %d, %d, %d", t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute())
	us := t.Nanosecond() / 1000
	if us != 0 {
		dst = fmt.Appendf(dst, ", %d, %d", t.Second(), us)
	} else if t.Second() != 0 {
		dst = fmt.Appendf(dst, ", %d", t.Second())
	}
	if d.Aware {
		dst = append(append(dst, ", tzinfo="...), zoneRepr(d.offset())...)
	}
	return append(dst, ')')
}

// zoneRepr prints a fixed offset as Python's timezone does: a timedelta keeps its seconds positive.
func zoneRepr(sec int) string {
	switch {
	case sec == 0:
		return "datetime.timezone.utc"
	case sec < 0:
		return fmt.Sprintf("datetime.timezone(datetime.timedelta(days=-1, seconds=%d))", sec+86400)
	}
	return fmt.Sprintf("datetime.timezone(datetime.timedelta(seconds=%d))", sec)
}
