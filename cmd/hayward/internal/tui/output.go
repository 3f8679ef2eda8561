package tui

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/haywardhq/hayward/fault"
)

// Format is the value of the flag --output. It implements pflag.Value.
type Format string

// The formats.
const (
	Text Format = "text" // tables and sentences, for people
	JSON Format = "json" // for programs
)

// Set reads a format.
func (f *Format) Set(s string) error {
	if got := Format(s); got == Text || got == JSON {
		*f = got
		return nil
	}
	return fault.New(fault.Invalid, "%q is neither text nor json", s)
}

// String returns the format's name.
func (f *Format) String() string { return string(*f) }

// Type names the values for help texts.
func (f *Format) Type() string { return "text|json" }

// AddFlag gives fs the flag --output, with text as its default.
func (f *Format) AddFlag(fs *pflag.FlagSet) {
	*f = Text
	fs.VarP(f, "output", "o", "text for people, json for programs")
}

// WriteJSON writes v as indented JSON and a line break. It changes no characters for HTML's sake.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Colour reports whether w is a terminal that wants colour. NO_COLOR with any text in it says no, and so does TERM=dumb.
func Colour(w io.Writer) bool {
	return IsTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// IsTerminal reports whether f, a writer or a reader, is a terminal.
func IsTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Table writes rows under a header as columns, two spaces apart, aligned by what characters take on a screen. Every cell
// is cleaned. With no rows it writes nothing but the header.
func Table(w io.Writer, header []string, rows [][]string) error {
	bold := lipgloss.NewStyle()
	if Colour(w) {
		bold = bold.Bold(true)
	}
	widths := make([]int, len(header))
	all := make([][]string, 0, len(rows)+1)
	for _, row := range append([][]string{header}, rows...) {
		if len(row) != len(header) {
			return fault.New(fault.Internal, "a row of %d cells in a table of %d columns", len(row), len(header))
		}
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Clean(cell)
			widths[i] = max(widths[i], lipgloss.Width(cells[i]))
		}
		all = append(all, cells)
	}
	for n, row := range all {
		if err := writeRow(w, row, widths, n == 0, bold); err != nil {
			return err
		}
	}
	return nil
}

func writeRow(w io.Writer, row []string, widths []int, isHeader bool, bold lipgloss.Style) error {
	var b strings.Builder
	for i, cell := range row {
		pad := strings.Repeat(" ", widths[i]-lipgloss.Width(cell)+2)
		if isHeader {
			cell = bold.Render(cell)
		}
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(pad)
		}
	}
	_, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	return err
}

// Print writes v as JSON, or what text does for people.
func Print(w io.Writer, f Format, v any, text func(io.Writer) error) error {
	if f == JSON {
		return WriteJSON(w, v)
	}
	return text(w)
}

// WriteError writes err to w as the format wants it: a sentence and its hint, or one JSON object.
func WriteError(w io.Writer, f Format, err error) error {
	e := fault.From(err)
	if f != JSON {
		text := "error: " + CleanLines(err.Error())
		if e.Hint != "" {
			text += "\nhint: " + CleanLines(e.Hint)
		}
		_, werr := fmt.Fprintln(w, text)
		return werr
	}
	return WriteJSON(w, map[string]any{"error": errorObject{e.Kind.String(), e.Code, err.Error(), e.Hint, whereOf(e)}})
}

type errorObject struct {
	Kind    string       `json:"kind"`
	Code    string       `json:"code,omitempty"`
	Message string       `json:"message"`
	Hint    string       `json:"hint,omitempty"`
	Where   *fault.Where `json:"where,omitempty"`
}

func whereOf(e *fault.Error) *fault.Where {
	if e.Where == (fault.Where{}) {
		return nil
	}
	return &e.Where
}
