package pyyaml

import "regexp"

const tagPrefix = "tag:yaml.org,2002:"

// The tags of SafeLoader, and Haystack's tuple.
const (
	tagNull      = tagPrefix + "null"
	tagBool      = tagPrefix + "bool"
	tagInt       = tagPrefix + "int"
	tagFloat     = tagPrefix + "float"
	tagStr       = tagPrefix + "str"
	tagBinary    = tagPrefix + "binary"
	tagTimestamp = tagPrefix + "timestamp"
	tagMerge     = tagPrefix + "merge"
	tagValue     = tagPrefix + "value"
	tagYAML      = tagPrefix + "yaml"
	tagSeq       = tagPrefix + "seq"
	tagMap       = tagPrefix + "map"
	tagSet       = tagPrefix + "set"
	tagOmap      = tagPrefix + "omap"
	tagPairs     = tagPrefix + "pairs"
	tagTuple     = tagPrefix + "python/tuple"
)

// The forms of numbers and times (yaml/resolver.py). Python's $ also matches before a last line break.
var (
	floatForm = regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
		`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\n?$`)
	intForm = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+` +
		`|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\n?$`)
	timeForm = regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}` +
		`:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)\n?$`)
)

var wordTags = map[string]string{
	"yes": tagBool, "Yes": tagBool, "YES": tagBool, "no": tagBool, "No": tagBool, "NO": tagBool,
	"true": tagBool, "True": tagBool, "TRUE": tagBool, "false": tagBool, "False": tagBool, "FALSE": tagBool,
	"on": tagBool, "On": tagBool, "ON": tagBool, "off": tagBool, "Off": tagBool, "OFF": tagBool,
	"": tagNull, "~": tagNull, "null": tagNull, "Null": tagNull, "NULL": tagNull,
	"<<": tagMerge, "=": tagValue, "!": tagYAML, "&": tagYAML, "*": tagYAML,
}

// resolve gives a plain scalar its tag.
func resolve(s string) string {
	word := s
	if n := len(s) - 1; n > 0 && s[n] == '\n' {
		word = s[:n]
	}
	if len(word) <= 5 { // none is longer
		if tag, ok := wordTags[word]; ok {
			return tag
		}
	}
	if c := word[0]; c != '-' && c != '+' && c != '.' && (c < '0' || c > '9') {
		return tagStr
	}
	if plainInt(s) {
		return tagInt
	}
	switch {
	case floatForm.MatchString(s):
		return tagFloat
	case intForm.MatchString(s):
		return tagInt
	case timeForm.MatchString(s):
		return tagTimestamp
	}
	return tagStr
}

// plainInt reports whether a number is written in digits alone, without a zero in front, and fits into 64 bits.
func plainInt(s string) bool {
	if s == "" || len(s) > 18 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
