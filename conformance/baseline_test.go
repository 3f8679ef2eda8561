package conformance_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// maxBaseline is how many recorded cases may differ.
const maxBaseline = 8

// baseline holds the recorded cases that are known to differ, each with its reason. A case that is listed and passes is
// a failure, and so is one that does not exist: the list only says what is true.
type baseline struct {
	reasons map[string]string
	judged  map[string]bool
}

func loadBaseline(t *testing.T) *baseline {
	t.Helper()
	data, err := os.ReadFile("baseline.yml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseBaseline(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parseBaseline(data []byte) (*baseline, error) {
	var entries []struct {
		Case   string `yaml:"case"`
		Reason string `yaml:"reason"`
	}
	if err := yaml.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("baseline.yml: %w", err)
	}
	b := &baseline{map[string]string{}, map[string]bool{}}
	for _, e := range entries {
		switch {
		case e.Case == "" || len(e.Reason) < 10:
			return nil, fmt.Errorf("baseline.yml: an entry lacks its case or its reason: %+v", e)
		case b.reasons[e.Case] != "":
			return nil, fmt.Errorf("baseline.yml: %s is listed twice", e.Case)
		}
		b.reasons[e.Case] = e.Reason
	}
	if len(entries) > maxBaseline {
		return nil, fmt.Errorf("baseline.yml: %d entries, at most %d: mend some", len(entries), maxBaseline)
	}
	return b, nil
}

// judge fails the test when a case differs without being listed, or is listed and does not differ.
func (b *baseline) judge(t *testing.T, id, difference string) {
	t.Helper()
	if failure := b.verdict(id, difference); failure != "" {
		t.Error(failure)
	} else if difference != "" {
		t.Logf("%s differs, as baseline.yml says: %s", id, b.reasons[id])
	}
}

func (b *baseline) verdict(id, difference string) (failure string) {
	b.judged[id] = true
	reason, listed := b.reasons[id]
	switch {
	case difference != "" && !listed:
		return id + ": " + difference
	case difference == "" && listed:
		return id + " passes: take it out of baseline.yml (" + reason + ")"
	}
	return ""
}

// stale returns the listed cases of a kind that nobody judged.
func (b *baseline) stale(kind string) (out []string) {
	for id := range b.reasons {
		if strings.HasPrefix(id, kind+":") && !b.judged[id] {
			out = append(out, id)
		}
	}
	return out
}

func TestBaseline(t *testing.T) {
	b, err := parseBaseline([]byte("- {case: 'calls:1', reason: a reason in words}\n- {case: 'calls:2', reason: a reason in words}\n- {case: 'runs:9', reason: a reason in words}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if f := b.verdict("calls:1", "differs"); f != "" {
		t.Errorf("a listed difference fails: %s", f)
	}
	if f := b.verdict("calls:3", "differs"); !strings.Contains(f, "differs") {
		t.Errorf("an unlisted difference passes: %q", f)
	}
	if f := b.verdict("calls:3", ""); f != "" {
		t.Errorf("no difference fails: %s", f)
	}
	if s := b.stale("calls"); len(s) != 1 || s[0] != "calls:2" {
		t.Errorf("stale: %v", s)
	}
	if f := b.verdict("calls:2", ""); !strings.Contains(f, "take it out") {
		t.Errorf("an entry that passes is not a failure: %q", f)
	}
	for _, bad := range []string{"- {case: x}", "- {reason: a reason in words}", "- {case: x, reason: no}", "x: y",
		"- {case: x, reason: a reason in words}\n- {case: x, reason: a reason in words}",
		strings.Repeat("- {case: x%d, reason: a reason in words}\n", maxBaseline+1)} {
		for i := 0; strings.Contains(bad, "%d"); i++ {
			bad = strings.Replace(bad, "%d", fmt.Sprint(i), 1)
		}
		if _, err := parseBaseline([]byte(bad)); err == nil {
			t.Errorf("accepted:\n%s", bad)
		}
	}
	loadBaseline(t)
}
