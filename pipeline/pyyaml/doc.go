// Package pyyaml reads and writes YAML exactly as Haystack's marshaller does: PyYAML 6.0.3's SafeLoader and SafeDumper
// with tuples (haystack/marshal/yaml.py), that is YAML 1.1 with PyYAML's own habits. "yes" is a bool, 1e3 a str, 012 the
// number ten, 12:30 a number of minutes, the last of two equal keys wins.
//
// It has its own scanner and emitter, because those habits sit in the scanner as much as in the resolver, and because
// every value keeps its place in the file for error messages. It knows nothing of pipelines: package loader, next door,
// says what the values mean, and package value holds them.
package pyyaml
