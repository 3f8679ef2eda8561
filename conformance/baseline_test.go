package conformance_test

import (
	"os"
	"testing"

	"go.yaml.in/yaml/v4"
)

// baseline holds the recorded cases that are known to differ, each with its reason. A case that is listed and passes is
// a failure: the list only says what is true.
type baseline map[string]string

func loadBaseline(t *testing.T) baseline {
	t.Helper()
	data, err := os.ReadFile("baseline.yml")
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		Case   string `yaml:"case"`
		Reason string `yaml:"reason"`
	}
	if err := yaml.Unmarshal(data, &entries); err != nil {
		t.Fatal(err)
	}
	b := baseline{}
	for _, e := range entries {
		if e.Case == "" || e.Reason == "" {
			t.Fatalf("baseline.yml: an entry lacks its case or its reason: %+v", e)
		}
		b[e.Case] = e.Reason
	}
	return b
}

// judge fails the test when a case differs without being listed, or is listed and does not differ.
func (b baseline) judge(t *testing.T, id, difference string) {
	t.Helper()
	reason, listed := b[id]
	switch {
	case difference != "" && !listed:
		t.Errorf("%s: %s", id, difference)
	case difference == "" && listed:
		t.Errorf("%s passes: take it out of baseline.yml (%s)", id, reason)
	case listed:
		t.Logf("%s differs, as baseline.yml says: %s", id, reason)
	}
}
