package tui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// MaxSecret bounds what [ReadSecret] reads, in bytes.
const MaxSecret = 64 << 10

// Source says where a secret comes from: File if it is set ("-" means In), else a prompt if In is a terminal, else In to
// its end. There is no way to give one as an argument: arguments are visible to every process of the machine.
type Source struct {
	File    string
	In      io.Reader // default os.Stdin
	Prompt  string    // what to ask for, for example "Password"; default "Secret"
	PromptW io.Writer // where to ask; default os.Stderr
	Twice   bool      // ask a second time and compare; for new secrets
	NewLine bool      // keep a line break at the end of a file or pipe; otherwise one is cut off

	terminal terminal // of tests; default In, if it is one
}

// terminal reads a line without showing it.
type terminal interface {
	readHidden(ctx context.Context) ([]byte, error)
}

// ReadSecret reads a secret. Empty ones, ones over [MaxSecret] and two answers that differ are errors.
func ReadSecret(ctx context.Context, src Source) (sealed.Value, error) {
	if src.In == nil {
		src.In = os.Stdin
	}
	if src.PromptW == nil {
		src.PromptW = os.Stderr
	}
	if src.Prompt == "" {
		src.Prompt = "Secret"
	}
	if file, ok := src.In.(*os.File); ok && src.terminal == nil && IsTerminal(file) {
		src.terminal = tty{file}
	}
	b, err := src.read(ctx)
	defer clear(b)
	switch {
	case err != nil:
		return sealed.Value{}, err
	case len(b) > MaxSecret:
		return sealed.Value{}, fault.New(fault.TooLarge, "the secret is larger than %d bytes", MaxSecret)
	case len(b) == 0:
		return sealed.Value{}, fault.New(fault.Invalid, "the secret is empty").WithHint("type it, pipe it in or name a file")
	}
	return sealed.New(b), nil
}

func (src Source) read(ctx context.Context) ([]byte, error) {
	if src.File != "" && src.File != "-" {
		f, err := os.Open(src.File)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the secret's file cannot be read")
		}
		defer f.Close()
		return src.readAll(f)
	}
	if src.File == "" && src.terminal != nil {
		return src.ask(ctx)
	}
	return src.readAll(src.In)
}

func (src Source) readAll(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxSecret+3)) // one byte too many, and a line break
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the secret cannot be read")
	}
	if !src.NewLine {
		b = cutLineBreak(b)
	}
	return b, nil
}

// cutLineBreak cuts off one line break, which editors and echo add and no secret means.
func cutLineBreak(b []byte) []byte {
	if cut, ok := bytes.CutSuffix(b, []byte("\n")); ok {
		return bytes.TrimSuffix(cut, []byte("\r"))
	}
	return b
}

func (src Source) ask(ctx context.Context) ([]byte, error) {
	first, err := src.askOnce(ctx, src.Prompt)
	if err != nil || !src.Twice {
		return first, err
	}
	second, err := src.askOnce(ctx, src.Prompt+" again")
	defer clear(second)
	if err != nil {
		clear(first)
		return nil, err
	}
	if !bytes.Equal(first, second) {
		clear(first)
		return nil, fault.New(fault.Invalid, "the two answers differ").WithHint("nothing was changed; try again")
	}
	return first, nil
}

func (src Source) askOnce(ctx context.Context, prompt string) ([]byte, error) {
	fmt.Fprintf(src.PromptW, "%s: ", Clean(prompt))
	b, err := src.terminal.readHidden(ctx)
	fmt.Fprintln(src.PromptW)
	if err != nil {
		return nil, fault.Wrap(fault.Canceled, err, "no secret was given")
	}
	return b, nil
}

type tty struct{ f *os.File }

// readHidden reads a line with echo off. When ctx ends, echo is switched on again and the read is left behind: a program
// that was interrupted ends anyway.
func (t tty) readHidden(ctx context.Context) ([]byte, error) {
	fd := int(t.f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type answer struct {
		b   []byte
		err error
	}
	got := make(chan answer, 1)
	go func() {
		b, err := term.ReadPassword(fd)
		got <- answer{b, err}
	}()
	select {
	case a := <-got:
		return a.b, a.err
	case <-ctx.Done():
		return nil, errorsFirst(term.Restore(fd, before), context.Cause(ctx))
	}
}

func errorsFirst(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
