package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Setting describes one setting.
type Setting struct {
	Name    string // as a flag and in the file
	Env     string // as a variable
	Type    string // text, list, number, size, duration or yes/no
	Default string // as it would be written; empty if nothing is
	Help    string // a sentence or two, with what empty or zero means

	field reflect.Value
}

// Settings lists every setting, in the order of [Config].
func Settings() []Setting { return bind(new(Config)) }

// bind returns the settings of c, tied to its fields.
func bind(c *Config) []Setting {
	v := reflect.ValueOf(c).Elem()
	var out []Setting
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if name := tag.Get("name"); name != "" {
			out = append(out, Setting{Name: name, Env: envOf(name), Type: typeOf(v.Field(i)), Default: tag.Get("default"), Help: tag.Get("help"), field: v.Field(i)})
		}
	}
	return out
}

func envOf(name string) string {
	return "HAYWARD_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func typeOf(field reflect.Value) string {
	switch field.Interface().(type) {
	case []string:
		return "list"
	case bool:
		return "yes/no"
	case int:
		return "number"
	case Size:
		return "size"
	case time.Duration:
		return "duration"
	}
	return "text"
}

func (s Setting) defaults() []string {
	if s.Default == "" && s.Type == "list" {
		return nil
	}
	return []string{s.Default}
}

// set reads texts into the field. Only a list has other than one.
func (s Setting) set(texts []string) error {
	if s.Type == "list" {
		s.field.Set(reflect.ValueOf(append([]string(nil), texts...)))
		return nil
	}
	if len(texts) != 1 {
		return fmt.Errorf("needs one value, not a list")
	}
	text := strings.TrimSpace(texts[0])
	var v any
	var err error
	switch s.Type {
	case "text":
		v = text
	case "yes/no":
		v, err = readBool(text)
	case "number":
		v, err = strconv.Atoi(text)
	case "size":
		v, err = ParseSize(text)
	case "duration":
		v, err = time.ParseDuration(text)
	}
	if err != nil {
		return fmt.Errorf("%q is not a %s%s", text, s.Type, examples[s.Type])
	}
	s.field.Set(reflect.ValueOf(v))
	return nil
}

var examples = map[string]string{"yes/no": " (write true or false)", "size": " (write for example 1048576, 16MiB or 1GiB)",
	"duration": " (write for example 30s, 10m or 24h)", "number": " (write for example 100)"}

func readBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, strconv.ErrSyntax
}

// splitList reads what a flag or a variable holds: items between commas. Space around them does not count.
func splitList(text string) []string {
	var out []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// Size is a number of bytes. It is written plain or with KiB, MiB or GiB.
type Size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// ParseSize reads a size. Negative ones and ones beyond int64 are errors.
func ParseSize(s string) (Size, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil || n > uint64(math.MaxInt64/u.bytes) {
			return 0, strconv.ErrRange
		}
		return Size(int64(n) * u.bytes), nil
	}
	return 0, strconv.ErrSyntax
}

// String writes the size with the largest unit that divides it.
func (s Size) String() string {
	for _, u := range units {
		if s >= Size(u.bytes) && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
