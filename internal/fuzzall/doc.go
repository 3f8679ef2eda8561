// Command fuzzall runs the fuzz targets of what reads a stranger's text (YAML, templates, type strings, filters,
// snapshots) for a time each, some of them at once, and ends with a line per target. It starts from the inputs under each
// package's testdata/fuzz, and with -keep adds to them from what earlier runs found to be new; plain tests run those too.
// It exits 1 when a target failed; the input that did it is then under testdata/fuzz.
//
// testsum is next door: it runs every test, and each target's kept inputs with it, but looks for no new ones.
package main
