package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sort"
	"strings"
	"time"
)

const missing = "part missing: "

type event struct {
	Action, Package, Test, Output string
}

type tally struct {
	w                       io.Writer
	passed, failed, skipped int
	output                  map[string][]string // of unfinished tests
	failures                []string
	failedIn                map[string]bool // packages with a failing test
	lacking                 map[string]int
	otherSkips              []string
	broken                  []string // packages that failed without a failing test
}

func newTally(w io.Writer) *tally {
	return &tally{w: w, output: map[string][]string{}, failedIn: map[string]bool{}, lacking: map[string]int{}}
}

func main() {
	args := arguments(os.Getenv("CI") == "true", os.Args[1:])
	start := time.Now()
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(2)
	}
	t := newTally(os.Stdout)
	readErr := t.read(out)
	runErr := cmd.Wait()
	t.print(time.Since(start))
	if readErr != nil {
		fmt.Fprintln(os.Stderr, "testsum:", readErr)
	}
	if !t.good() || readErr != nil || runErr != nil {
		os.Exit(1)
	}
}

// uninstrumented are packages whose code is translated from C: SQLite and what it stands on. Their memory is not Go's, so
// that the race detector sees nothing in it, yet asking for each access takes half of the time of all tests. The driver
// above them, which takes Go's memory, is instrumented as everything else.
var uninstrumented = []string{"modernc.org/sqlite/lib", "modernc.org/libc/...", "modernc.org/memory"}

// longest are the packages whose tests take longest. They start first: whichever starts last is waited for alone.
var longest = []string{"./cmd/hayward/internal/e2e", "./vault/rotation", "./cmd/hayward", "./vault/secret", "./vault/audit"}

// arguments are those of the go command. The packages are the last of what was given, or all.
func arguments(ci bool, given []string) []string {
	args := []string{"test", "-json"}
	if ci {
		args = append(args, "-race")
		for _, pkg := range uninstrumented {
			args = append(args, "-gcflags="+pkg+"=-race=false -d=checkptr=0")
		}
	}
	if len(given) == 0 {
		given = []string{"./..."}
	}
	last := len(given) - 1
	args = append(args, given[:last]...)
	if given[last] == "./..." { // a package that is named twice runs once, at its first place
		args = append(args, longest...)
	}
	return append(args, given[last])
}

// good reports whether tests ran and all of them passed or were skipped.
func (t *tally) good() bool { return t.passed > 0 && t.failed == 0 && len(t.broken) == 0 }

// read takes lines of any length: a test may print what it likes, and nobody else empties the pipe.
func (t *tally) read(r io.Reader) error {
	lines := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			t.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tally) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		fmt.Fprintf(t.w, "%s\n", bytes.TrimRight(line, "\n")) // the compiler speaks plain text
		return
	}
	t.take(e)
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.output[key] = append(t.output[key], e.Output)
		return
	case "build-output":
		fmt.Fprint(t.w, e.Output)
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	lines := t.output[key]
	delete(t.output, key)
	if e.Test == "" {
		t.finishPackage(e, lines)
		return
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		t.failedIn[e.Package] = true
		t.failures = append(t.failures, key+"\n"+strings.Join(lines, ""))
	case "skip":
		t.skipped++
		t.noteSkip(key, strings.Join(lines, ""))
	}
}

func (t *tally) finishPackage(e event, lines []string) {
	text := strings.Join(lines, "")
	if e.Action == "fail" {
		fmt.Fprintf(t.w, "FAIL %s\n", e.Package)
		if !t.failedIn[e.Package] { // it does not build, its TestMain failed, or it ran out of time
			t.broken = append(t.broken, e.Package+"\n"+text+t.unfinished(e.Package))
		}
		return
	}
	if line := lastLine(text); line != "" && e.Action == "pass" {
		fmt.Fprintln(t.w, line)
	}
}

// unfinished returns what tests of the package said that never ended.
func (t *tally) unfinished(pkg string) string {
	var keys []string
	for key := range t.output {
		if strings.HasPrefix(key, pkg+" ") {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, key := range keys {
		b.WriteString(key + "\n" + strings.Join(t.output[key], ""))
		delete(t.output, key)
	}
	return b.String()
}

func (t *tally) noteSkip(test, text string) {
	if i := strings.Index(text, missing); i >= 0 {
		reason, _, _ := strings.Cut(text[i+len(missing):], "\n")
		t.lacking[strings.TrimSpace(reason)]++
		return
	}
	t.otherSkips = append(t.otherSkips, test)
}

func (t *tally) print(took time.Duration) {
	for _, f := range t.failures {
		fmt.Fprintf(t.w, "\n--- FAIL %s", f)
	}
	for _, b := range t.broken {
		fmt.Fprintf(t.w, "\n--- FAILED PACKAGE %s", b)
	}
	fmt.Fprintln(t.w)
	reasons := make([]string, 0, len(t.lacking))
	for r := range t.lacking {
		reasons = append(reasons, r)
	}
	sort.Strings(reasons)
	if len(reasons) == 0 {
		fmt.Fprintln(t.w, "every suite had its parts")
	}
	for _, r := range reasons {
		fmt.Fprintf(t.w, "lacking: %s: %d tests did not run\n", r, t.lacking[r])
	}
	for _, s := range t.otherSkips {
		fmt.Fprintln(t.w, "skipped for another reason:", s)
	}
	fmt.Fprintf(t.w, "took %s\n", took.Round(time.Second))
	if t.passed+t.failed+len(t.broken) == 0 {
		fmt.Fprintln(t.w, "no test ran: that is a failure")
	}
	fmt.Fprintf(t.w, "%d passed, %d failed, %d skipped\n", t.passed, t.failed+len(t.broken), t.skipped)
}

func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}
