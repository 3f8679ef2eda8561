package sealed_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/sealed"
)

const panicCase = "HAYWARD_TEST_PANIC"

// panics are ways to die with a secret in hand. The runtime prints the panic's value and the stack with raw arguments.
var panics = map[string]func(){
	"value":            func() { panic(sealed.NewString(canary)) },
	"holder":           func() { panic(unexported[sealed.Value]{sealed.NewString(canary)}) },
	"pointer":          func() { panic(&exported[sealed.Value]{sealed.NewString(canary)}) },
	"error":            func() { panic(&asError[sealed.Value]{sealed.NewString(canary)}) },
	"joined":           func() { panic(errors.Join(byValueErr[sealed.Value]{sealed.NewString(canary)})) },
	"as argument":      func() { dieWith(sealed.NewString(canary), []sealed.Value{sealed.NewString(canary)}) },
	"panic in a panic": func() { defer func() { panic(recover()) }(); panic(sealed.NewString(canary)) },
	"control":          func() { panic(canary) },
}

//go:noinline
func dieWith(v sealed.Value, more []sealed.Value) { panic(map[string]any{"v": v, "more": more}) }

func TestMain(m *testing.M) {
	if die, ok := panics[os.Getenv(panicCase)]; ok {
		die()
	}
	os.Exit(m.Run())
}

func TestAPanicShowsNoValue(t *testing.T) {
	for name := range panics {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), panicCase+"="+name, "GOTRACEBACK=all")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "panic: ") {
				t.Fatalf("the program did not die: %v\n%s", err, out)
			}
			shown := strings.Contains(string(out), canary[:12])
			if want := name == "control"; shown != want {
				t.Errorf("the value is shown: %v\n%s", shown, out)
			}
		})
	}
}
