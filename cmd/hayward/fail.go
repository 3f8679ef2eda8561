package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
)

// problem is one error as a program reads it.
type problem struct {
	Kind    string      `json:"kind"`
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Where   fault.Where `json:"where"`
	Hint    string      `json:"hint"`
}

// failure is what a failed command writes to standard error with --output json: one object on one line, and nothing beside it.
type failure struct {
	Error    problem   `json:"error"`
	Problems []problem `json:"problems,omitempty"` // all of them, when several were found at once
	Notes    []string  `json:"notes,omitempty"`    // what was said before it failed: which secret went where, warnings
}

func problemOf(err error) problem {
	f := fault.From(err)
	return problem{Kind: f.Kind.String(), Code: f.Code, Message: sentence(f), Where: f.Where, Hint: f.Hint}
}

// sentence is the message and what is underneath, without the place: that has a field of its own.
func sentence(f *fault.Error) string {
	bare := *f
	bare.Where = fault.Where{}
	return bare.Error()
}

// several returns the problems in err when there are more than one.
func several(err error) []problem {
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return nil
	}
	list := many.Unwrap()
	if len(list) < 2 {
		return nil
	}
	out := make([]problem, len(list))
	for i, e := range list {
		out[i] = problemOf(e)
	}
	return out
}

// fail says what went wrong, in the format asked for.
func (c *cli) fail(err error, notes ...string) {
	if c.format == tui.JSON {
		enc := json.NewEncoder(c.err)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(failure{Error: problemOf(err), Problems: several(err), Notes: notes})
		return
	}
	list := several(err)
	if list == nil {
		list = []problem{problemOf(err)}
	}
	for _, p := range list {
		fmt.Fprint(c.err, describe(p))
	}
}

// describe writes a problem for a person: "error: file:3:5: sentence", the component it is about, the hint.
func describe(p problem) string {
	var b strings.Builder
	b.WriteString("error: ")
	if place := p.Where.Position.String(); place != "" {
		b.WriteString(tui.Clean(place) + ": ")
	}
	b.WriteString(tui.CleanLines(p.Message) + "\n")
	about := slices.DeleteFunc([]string{p.Where.Component, p.Where.Type}, func(s string) bool { return s == "" || strings.Contains(p.Message, s) })
	if len(about) > 0 {
		b.WriteString("in: " + tui.Clean(strings.Join(about, ", ")) + "\n")
	}
	if p.Hint != "" {
		b.WriteString("hint: " + tui.CleanLines(p.Hint) + "\n")
	}
	return b.String()
}
