package pyyaml

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/pipeline/value"
)

// scalarTags build the value of a scalar from its text, or say what is wrong with it.
var scalarTags = map[string]func(string) (v value.Value, problem string){
	tagNull:      func(string) (value.Value, string) { return value.None, "" },
	tagStr:       func(s string) (value.Value, string) { return value.Str(s), "" },
	tagBool:      buildBool,
	tagInt:       buildInt,
	tagFloat:     buildFloat,
	tagBinary:    buildBinary,
	tagTimestamp: buildTime,
}

func buildBool(s string) (value.Value, string) {
	switch strings.ToLower(s) {
	case "yes", "true", "on":
		return value.Bool(true), ""
	case "no", "false", "off":
		return value.Bool(false), ""
	}
	return nil, "write true or false"
}

// buildInt reads binary, octal, hexadecimal, decimal and sexagesimal ints; underscores are left out.
func buildInt(s string) (value.Value, string) {
	if plainInt(s) {
		n, _ := strconv.ParseInt(s, 10, 64)
		return value.Int(n), ""
	}
	s = strings.ReplaceAll(s, "_", "")
	negative := strings.HasPrefix(s, "-")
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	n, ok := new(big.Int), false
	switch {
	case s == "":
	case strings.HasPrefix(s, "0b"):
		n, ok = pyInt(s[2:], 2)
	case strings.HasPrefix(s, "0x"):
		n, ok = pyInt(s[2:], 16)
	case s == "0":
		ok = true
	case s[0] == '0':
		n, ok = pyInt(s, 8)
	case strings.Contains(s, ":"):
		n, ok = sexagesimal(s)
	default:
		n, ok = pyInt(s, 10)
	}
	if !ok {
		return nil, "it is no whole number, or it is too long"
	}
	if negative {
		n = new(big.Int).Neg(n)
	}
	if n.IsInt64() {
		return value.Int(n.Int64()), ""
	}
	return &value.BigInt{N: n}, ""
}

// maxDigitsIn bounds the digits of every base to what 4,300 decimal ones hold; Python bounds decimal ones alone, and
// then cannot write what it has read.
var maxDigitsIn = map[int]int{2: 14284, 8: 4761, 10: maxDigits, 16: 3571}

// plainNumber is a number's text as int() and float() read it: white space around it left out, digits of any script as
// ASCII's.
func plainNumber(s string) string {
	return strings.Map(func(r rune) rune {
		if d, ok := value.DigitValue(r); ok {
			return rune('0' + d)
		}
		return r
	}, value.PyStrip(s))
}

// pyInt is Python's int(s, base).
func pyInt(s string, base int) (*big.Int, bool) {
	s = plainNumber(s)
	sign, digits := "", s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, digits = s[:1], s[1:]
	}
	if prefix := map[int]string{2: "0b", 8: "0o", 16: "0x"}[base]; prefix != "" && len(digits) > 2 &&
		strings.EqualFold(digits[:2], prefix) {
		digits = digits[2:]
	}
	if digits == "" || digits[0] == '-' || digits[0] == '+' || len(digits) > maxDigitsIn[base] {
		return nil, false
	}
	return new(big.Int).SetString(sign+digits, base)
}

func sexagesimal(s string) (*big.Int, bool) {
	total := new(big.Int)
	parts := strings.Split(s, ":")
	if len(parts) > maxDigits/2 {
		return nil, false
	}
	for _, part := range parts {
		n, ok := pyInt(part, 10)
		if !ok {
			return nil, false
		}
		total.Mul(total, big.NewInt(60)).Add(total, n)
	}
	return total, true
}

var pyFloatForm = regexp.MustCompile(`^[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|inf|infinity|nan)$`)

// pyFloat is Python's float(s) for lower-case text.
func pyFloat(s string) (float64, bool) {
	s = plainNumber(s)
	if !pyFloatForm.MatchString(s) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range gives infinity, as in Python
	return f, true
}

func buildFloat(s string) (value.Value, string) {
	s = strings.ToLower(strings.ReplaceAll(s, "_", ""))
	sign := 1.0
	if strings.HasPrefix(s, "-") {
		sign = -1
	}
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	switch strings.TrimSuffix(s, "\n") {
	case ".inf":
		return value.Float(math.Inf(int(sign))), ""
	case ".nan":
		return value.Float(math.NaN()), ""
	}
	total, base := 0.0, 1.0
	parts := strings.Split(s, ":")
	for i := len(parts) - 1; i >= 0; i-- {
		f, ok := pyFloat(parts[i])
		if !ok {
			return nil, "it is no number"
		}
		if len(parts) == 1 {
			return value.Float(sign * f), ""
		}
		total += f * base
		base *= 60
	}
	return value.Float(sign * total), ""
}

// buildBinary reads base64 as Python's binascii does: characters that do not belong there are skipped.
func buildBinary(s string) (value.Value, string) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out []byte
	quad, pads, left := 0, 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return nil, "base64 is ASCII"
		}
		if s[i] == '=' {
			if pads++; quad >= 2 && quad+pads >= 4 {
				if j := strings.IndexFunc(s[i:], func(r rune) bool { return r >= 0x80 }); j >= 0 {
					return nil, "base64 is ASCII"
				}
				return value.Bytes(out), ""
			}
			if quad < 2 {
				pads--
			}
			continue
		}
		code := strings.IndexByte(alphabet, s[i])
		if code < 0 {
			continue
		}
		pads = 0
		left = left<<6 | code
		if quad++; quad > 1 {
			shift := 8 - 2*quad
			out = append(out, byte(left>>shift))
			left &= 1<<shift - 1
		}
		quad %= 4
	}
	if quad != 0 {
		return nil, "the base64 data is cut off"
	}
	return value.Bytes(out), ""
}

var timeParts = regexp.MustCompile(`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})` +
	`(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?\n?$`)

func buildTime(s string) (value.Value, string) {
	m := timeParts.FindStringSubmatch(s)
	if m == nil {
		return nil, "write 2024-12-31 or 2024-12-31 23:59:59"
	}
	n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v }
	year, month, day, hour, minute, second := n(1), n(2), n(3), n(4), n(5), n(6)
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if year < 1 || t.Year() != year || int(t.Month()) != month || t.Day() != day || hour > 23 || minute > 59 || second > 59 {
		return nil, "there is no such day or time"
	}
	if m[4] == "" {
		return value.Date{Year: year, Month: month, Day: day}, ""
	}
	micro, _ := strconv.Atoi((m[7] + "000000")[:6])
	zone, aware := time.UTC, m[8] != ""
	if m[9] != "" {
		offset := (n(10)*60 + n(11)) * 60
		if offset >= 24*3600 {
			return nil, "a time zone lies within 24 hours of UTC"
		}
		if m[9] == "-" {
			offset = -offset
		}
		if offset != 0 {
			zone = time.FixedZone("", offset)
		}
	}
	return value.DateTime{Time: time.Date(year, time.Month(month), day, hour, minute, second, micro*1000, zone), Aware: aware}, ""
}
