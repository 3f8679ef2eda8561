// Command testsum runs "go test" on every package and ends with what a person wants to know: what failed, which suites
// lack a part, and how many tests ran. With CI=true it adds -race.
package main

import (
	"bufio"
	"encoding/json"
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
	passed, failed, skipped int
	output                  map[string][]string // of unfinished tests
	failures                []string
	lacking                 map[string]int
	otherSkips              []string
	broken                  []string // packages that failed without a failing test
}

func main() {
	args := []string{"test", "-json"}
	if os.Getenv("CI") == "true" {
		args = append(args, "-race")
	}
	args = append(args, os.Args[1:]...)
	if len(os.Args) == 1 {
		args = append(args, "./...")
	}
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
	t := &tally{output: map[string][]string{}, lacking: map[string]int{}}
	t.read(out)
	runErr := cmd.Wait()
	t.print(time.Since(start))
	switch {
	case t.passed+t.failed == 0:
		fmt.Println("no test ran: that is a failure")
		os.Exit(1)
	case runErr != nil || t.failed > 0:
		os.Exit(1)
	}
}

func (t *tally) read(r io.Reader) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 1<<20), 64<<20)
	for sc.Scan() {
		var e event
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			fmt.Println(sc.Text()) // the compiler speaks plain text
			continue
		}
		t.take(e)
	}
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.output[key] = append(t.output[key], e.Output)
		return
	case "build-output":
		fmt.Print(e.Output)
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
		t.failures = append(t.failures, key+"\n"+strings.Join(lines, ""))
	case "skip":
		t.skipped++
		t.noteSkip(key, strings.Join(lines, ""))
	}
}

func (t *tally) finishPackage(e event, lines []string) {
	text := strings.Join(lines, "")
	if e.Action == "fail" {
		fmt.Printf("FAIL %s\n", e.Package)
		t.broken = append(t.broken, e.Package+"\n"+text)
		return
	}
	if line := lastLine(text); line != "" && e.Action == "pass" {
		fmt.Println(line)
	}
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
		fmt.Printf("\n--- FAIL %s", f)
	}
	for _, b := range t.broken {
		fmt.Printf("\n--- FAILED PACKAGE %s", b)
	}
	fmt.Println()
	reasons := make([]string, 0, len(t.lacking))
	for r := range t.lacking {
		reasons = append(reasons, r)
	}
	sort.Strings(reasons)
	if len(reasons) == 0 {
		fmt.Println("every suite had its parts")
	}
	for _, r := range reasons {
		fmt.Printf("lacking: %s: %d tests did not run\n", r, t.lacking[r])
	}
	for _, s := range t.otherSkips {
		fmt.Println("skipped for another reason:", s)
	}
	fmt.Printf("took %s\n", took.Round(time.Second))
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
}

func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}
