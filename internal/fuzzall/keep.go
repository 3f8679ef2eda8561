package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// keptBytes is the most a kept input may have: the kept ones are read by every run of the tests.
const keptBytes = 2 << 10

// keepAll fills the kept inputs of the targets from go's cache, which holds what covered something new.
func keepAll(chosen []target, upTo int) error {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	for _, t := range chosen {
		place, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Dir}}", t.pkg).Output()
		if err != nil {
			return err
		}
		path, dir, _ := strings.Cut(strings.TrimSpace(string(place)), "\t")
		from := filepath.Join(strings.TrimSpace(string(cache)), "fuzz", filepath.FromSlash(path), t.name)
		n, err := keep(from, filepath.Join(dir, "testdata", "fuzz", t.name), upTo)
		if err != nil {
			return err
		}
		fmt.Printf("%s %s: %d new\n", t.pkg, t.name, n)
	}
	return nil
}

// keep copies small inputs until there are enough of them. Their names are hashes, so the order is a fair sample.
func keep(from, to string, upTo int) (n int, err error) {
	entries, err := os.ReadDir(from)
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return 0, err
	}
	there, err := os.ReadDir(to)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if len(there)+n >= upTo {
			break
		}
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return n, err
		}
		if len(text) > keptBytes || slices.ContainsFunc(there, func(old os.DirEntry) bool { return old.Name() == e.Name() }) {
			continue
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), text, 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
