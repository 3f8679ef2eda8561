package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds the settings file.
const maxFile = 1 << 20

// parseFile reads the lines "name: value" of a YAML mapping. Values are taken as they are written, so that the file reads
// sizes, durations and numbers exactly as flags do; lists are YAML lists.
func parseFile(path string, b []byte) (out map[string]source, problems []string) {
	if len(b) > maxFile {
		return nil, []string{fmt.Sprintf("%s: a settings file has at most %d bytes", path, maxFile)}
	}
	if isBlank(string(b)) {
		return nil, nil
	}
	var doc yaml.Node
	if err := yaml.Load(b, &doc); err != nil {
		return nil, []string{fmt.Sprintf("%s: this is not YAML: %v", path, err)}
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		root = doc.Content[0]
	}
	if root.Kind != yaml.MappingNode {
		return nil, []string{fmt.Sprintf("%s:%d: settings are lines of the form name: value", path, root.Line)}
	}
	known := map[string]bool{}
	var names []string
	for _, s := range Settings() {
		known[s.Name], names = true, append(names, s.Name)
	}
	out = map[string]source{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		at := fmt.Sprintf("%s:%d: %s", path, key.Line, key.Value)
		texts, bad := textsOf(value)
		switch _, twice := out[key.Value]; {
		case !known[key.Value]:
			bad = "there is no such setting" + suggest(key.Value, names)
		case twice:
			bad = "it is set twice"
		}
		if bad != "" {
			problems = append(problems, at+": "+bad)
			continue
		}
		out[key.Value] = source{texts, at}
	}
	return out, problems
}

// isBlank reports whether a file holds comments at most, which the parser does not count as a document.
func isBlank(file string) bool {
	for line := range strings.Lines(file) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return false
		}
	}
	return true
}

func textsOf(n *yaml.Node) (texts []string, bad string) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, "it has no value (leave the line out to get the default)"
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, ""
	case n.Kind != yaml.SequenceNode:
		return nil, "it needs a value or a list of values"
	}
	texts = []string{}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return nil, fmt.Sprintf("line %d: an item of the list needs to be a value", item.Line)
		}
		texts = append(texts, item.Value)
	}
	return texts, ""
}

// suggest names the nearest known name, if one is near.
func suggest(name string, known []string) string {
	short := strings.TrimPrefix(name, "HAYWARD_")
	best, distance := "", len(short)/3+1
	for _, k := range known {
		if d := editDistance(short, strings.TrimPrefix(k, "HAYWARD_")); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := diagonal
			if a[i] != b[j] {
				next = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
