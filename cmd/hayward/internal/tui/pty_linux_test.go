package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/haywardhq/hayward/internal/parts"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// openPTY returns both ends of a real pseudo terminal.
func openPTY(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		parts.Lack(t, "a pseudo terminal ("+err.Error()+")")
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		parts.Lack(t, "a pseudo terminal ("+err.Error()+")")
	}
	t.Cleanup(func() { _ = slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// untilHidden waits for the prompt to have switched echo off.
func untilHidden(t *testing.T, f *os.File) {
	t.Helper()
	for range 2000 {
		if !echoes(t, f) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("echo stays on")
}

func TestAPromptDoesNotEcho(t *testing.T) {
	keyboard, screen := openPTY(t)
	go func() {
		untilHidden(t, screen)
		_, _ = io.WriteString(keyboard, "canary\n")
	}()
	v, err := ReadSecret(t.Context(), Source{In: screen, PromptW: screen, Prompt: "Password"})
	if err != nil || string(reveal.Inside(v)) != "canary" || !echoes(t, screen) {
		t.Fatalf("%v, echo is back: %v", err, echoes(t, screen))
	}
	shown := make([]byte, 4096)
	n, err := keyboard.Read(shown)
	if err != nil || !strings.Contains(string(shown[:n]), "Password: ") || strings.Contains(string(shown[:n]), "canary") {
		t.Errorf("the screen shows %q, %v", shown[:n], err)
	}
}

func TestAnInterruptedPromptPutsEchoBack(t *testing.T) {
	keyboard, screen := openPTY(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	go func() {
		untilHidden(t, screen)
		cancel(stop)
	}()
	_, err := ReadSecret(ctx, Source{In: screen, PromptW: io.Discard})
	if !fault.Is(err, fault.Canceled) || !errors.Is(err, stop) || !echoes(t, screen) {
		t.Errorf("%v, echo is back: %v", err, echoes(t, screen))
	}
	_, _ = io.WriteString(keyboard, "\n") // lets the read that was left behind end
}

func TestColourAndProgressOnATerminal(t *testing.T) {
	keyboard, screen := openPTY(t)
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !Colour(screen) {
		t.Error("a terminal has colour")
	}
	t.Setenv("NO_COLOR", "1")
	if Colour(screen) {
		t.Error("NO_COLOR is not heard")
	}
	out := make(chan string, 1)
	go func() {
		var all strings.Builder
		buf := make([]byte, 4096)
		for !strings.Contains(all.String(), "3/3") {
			n, err := keyboard.Read(buf)
			all.Write(buf[:n])
			if err != nil {
				break
			}
		}
		out <- all.String()
	}()
	p := NewProgress(screen)
	bar := p.Bar("index\x1bing", 3)
	bar.Add(3)
	bar.End()
	p.Wait()
	if got := <-out; !strings.Contains(got, `index\u001bing`) {
		t.Errorf("the screen shows %q", got)
	}
}
