package audit

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestWordsAreWhatTheirPatternsSay(t *testing.T) {
	action := regexp.MustCompile(`^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$`)
	resource := regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	detail := regexp.MustCompile(`^[a-z][a-z0-9_.-]*$`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("ab0_-..Zé\n /")), 0, 6, -1).Draw(t, "s")
		if isAction(s) != action.MatchString(s) || isWord(s) != resource.MatchString(s) || isDetail(s) != detail.MatchString(s) {
			t.Fatalf("%q: an action %v, a word %v, a detail %v", s, isAction(s), isWord(s), isDetail(s))
		}
	})
}
