package jinja

import (
	"fmt"
	"strings"
	"time"
)

// Strftime is Python's strftime in the C locale. zone tells whether t has a time zone in Python's eyes; without one %z
// and %Z print nothing.
func Strftime(t time.Time, format string, zone bool) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '%' || i+1 == len(format) {
			b.WriteByte(c)
			continue
		}
		i++
		pad := true
		if format[i] == '-' && i+1 < len(format) { // glibc's flag against padding
			pad = false
			i++
		}
		text := directive(t, format[i], zone)
		if !pad {
			if cut := strings.TrimLeft(text, "0 "); cut != "" {
				text = cut
			} else if text != "" {
				text = "0"
			}
		}
		b.WriteString(text)
	}
	return b.String()
}

func directive(t time.Time, c byte, zone bool) string {
	two := func(n int) string { return fmt.Sprintf("%02d", n) }
	switch c {
	case 'Y':
		return fmt.Sprintf("%04d", t.Year())
	case 'm':
		return two(int(t.Month()))
	case 'd':
		return two(t.Day())
	case 'e':
		return fmt.Sprintf("%2d", t.Day())
	case 'H':
		return two(t.Hour())
	case 'M':
		return two(t.Minute())
	case 'S':
		return two(t.Second())
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000)
	case 'y':
		return two(t.Year() % 100)
	case 'C':
		return two(t.Year() / 100)
	case 'I':
		return two((t.Hour()+11)%12 + 1)
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1)
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'j':
		return fmt.Sprintf("%03d", t.YearDay())
	case 'p':
		return t.Format("PM")
	case 'P':
		return t.Format("pm")
	case 'A':
		return t.Format("Monday")
	case 'a':
		return t.Format("Mon")
	case 'B':
		return t.Format("January")
	case 'b', 'h':
		return t.Format("Jan")
	case 's':
		return fmt.Sprint(t.Unix())
	}
	return compound(t, c, zone)
}

func compound(t time.Time, c byte, zone bool) string {
	switch c {
	case 'w':
		return fmt.Sprint(int(t.Weekday()))
	case 'u':
		return fmt.Sprint((int(t.Weekday())+6)%7 + 1)
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()))/7)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-(int(t.Weekday())+6)%7)/7)
	case 'G':
		y, _ := t.ISOWeek()
		return fmt.Sprintf("%04d", y)
	case 'g':
		y, _ := t.ISOWeek()
		return fmt.Sprintf("%02d", y%100)
	case 'V':
		_, w := t.ISOWeek()
		return fmt.Sprintf("%02d", w)
	case 'D', 'x':
		return t.Format("01/02/06")
	case 'T', 'X':
		return t.Format("15:04:05")
	case 'R':
		return t.Format("15:04")
	case 'r':
		return t.Format("03:04:05 PM")
	case 'F':
		return t.Format("2006-01-02")
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 2006")
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case '%':
		return "%"
	case 'z':
		if zone {
			return t.Format("-0700")
		}
		return ""
	case 'Z':
		if zone {
			name, _ := t.Zone()
			return name
		}
		return ""
	}
	return "%" + string(c)
}
