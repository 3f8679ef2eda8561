package preprocessors

import (
	"context"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/value/pyre"
)

// DocumentCleaner cleans the text of documents, page by page (haystack/components/preprocessors/document_cleaner.py).
type DocumentCleaner struct {
	steps     []step
	keepID    bool
	minLength int
}

// step is one thing that is done to a text. Steps run in Haystack's order.
type step func(ctx context.Context, text string) (string, error)

// DocumentCleanerType describes [DocumentCleaner].
func DocumentCleanerType() *component.Type {
	return &component.Type{
		Name: "haystack.components.preprocessors.document_cleaner.DocumentCleaner",
		Doc:  "Removes superfluous white space, empty lines, substrings and repeated headers and footers from documents.",
		Params: []component.Param{
			component.Optional("remove_empty_lines", value.Bool(true)),
			component.Optional("remove_extra_whitespaces", value.Bool(true)),
			component.Optional("remove_repeated_substrings", value.Bool(false)),
			component.Optional("keep_id", value.Bool(false)),
			component.Optional("remove_substrings", nil),
			component.Optional("remove_regex", nil),
			component.Optional("unicode_normalization", nil),
			component.Optional("ascii_only", value.Bool(false)),
			component.Optional("strip_whitespaces", value.Bool(false)),
			component.Optional("replace_regexes", nil),
			component.Optional("min_content_length", value.Int(0)),
		},
		New: newDocumentCleaner,
	}
}

var forms = map[string]norm.Form{"NFC": norm.NFC, "NFKC": norm.NFKC, "NFD": norm.NFD, "NFKD": norm.NFKD}

func newDocumentCleaner(b *component.Builder) (component.Component, *component.Spec, error) {
	c := &DocumentCleaner{keepID: b.Bool("keep_id"), minLength: b.Int("min_content_length")}
	if b.Err() == nil && c.minLength < 0 {
		return nil, nil, part.Refuse(b, "min_content_length", part.ValueError("min_content_length must be greater than or equal to 0."))
	}
	if param, err := c.plan(b); err != nil {
		return nil, nil, part.Refuse(b, param, err)
	}
	return c, part.Spec([]component.Input{part.In("documents", part.Documents)}, part.Out("documents", part.Documents)), b.Err()
}

// plan lines up the steps.
func (c *DocumentCleaner) plan(b *component.Builder) (param string, err error) {
	if name := b.OptStr("unicode_normalization"); name != nil && *name != "" {
		form, ok := forms[*name]
		if !ok {
			return "unicode_normalization", part.ValueError("unicode_normalization must be one of 'NFC', 'NFKC', 'NFD', 'NFKD'.")
		}
		c.always(true, form.String)
	}
	c.always(b.Bool("ascii_only"), asciiOnly)
	c.always(b.Bool("remove_extra_whitespaces"), eachPage(func(page string) string { return value.PyStrip(squeeze(page)) }))
	c.always(b.Bool("remove_empty_lines"), eachPage(dropEmptyLines))
	if list := b.Strs("remove_substrings"); len(list) > 0 {
		c.always(true, func(text string) string {
			for _, s := range list {
				text = strings.ReplaceAll(text, s, "")
			}
			return text
		})
	}
	if pattern := b.OptStr("remove_regex"); pattern != nil && *pattern != "" {
		if err := c.substitute(*pattern, "", true); err != nil {
			return "remove_regex", err
		}
	}
	for pattern, repl := range b.Dict("replace_regexes").All() {
		p, ok1 := pattern.(value.Str)
		r, ok2 := repl.(value.Str)
		if !ok1 || !ok2 {
			return "replace_regexes", part.TypeError("replace_regexes must map strings to strings")
		}
		if err := c.substitute(string(p), string(r), false); err != nil {
			return "replace_regexes", err
		}
	}
	c.always(b.Bool("remove_repeated_substrings"), removeHeadersAndFooters)
	c.always(b.Bool("strip_whitespaces"), value.PyStrip)
	return "", nil
}

// always adds a step that cannot fail, if it is wanted.
func (c *DocumentCleaner) always(wanted bool, fn func(string) string) {
	if wanted {
		c.steps = append(c.steps, func(_ context.Context, text string) (string, error) { return fn(text), nil })
	}
}

// substitute adds a step that replaces matches on each page. One pattern after the other over whole texts gives the
// same as Haystack's patterns within pages, because no pattern sees another page.
func (c *DocumentCleaner) substitute(pattern, repl string, strip bool) error {
	re, err := pyre.Compile(pattern, 0)
	if err != nil {
		return err
	}
	if _, err := re.Template(repl); err != nil {
		return err
	}
	c.steps = append(c.steps, func(ctx context.Context, text string) (string, error) {
		pages := strings.Split(text, "\f")
		for i, page := range pages {
			cleaned, err := re.Sub(ctx, repl, page, 0)
			if err != nil {
				return "", err
			}
			if strip {
				cleaned = value.PyStrip(cleaned)
			}
			pages[i] = cleaned
		}
		return strings.Join(pages, "\f"), nil
	})
	return nil
}

// Run cleans each document; one without a text is passed on as it is.
func (c *DocumentCleaner) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	docs, err := part.DocList("documents", in[0], "DocumentCleaner expects a List of Documents as input.")
	if err != nil {
		return component.Out{}, err
	}
	out := make([]*document.Document, 0, len(docs))
	for _, d := range docs {
		if d.Content == nil {
			part.Log(env).Warn("a document without text is not cleaned", "component", env.Component(), "id", d.ID)
			out = append(out, d)
			continue
		}
		text, err := c.clean(ctx, *d.Content)
		if err != nil {
			return component.Out{}, err
		}
		if c.minLength > 0 && utf8.RuneCountInString(value.PyStrip(text)) < c.minLength {
			continue
		}
		cleaned := *d
		cleaned.Content = &text
		if !c.keepID {
			cleaned.ID = ""
		}
		made, err := document.New(cleaned)
		if err != nil {
			return component.Out{}, err
		}
		out = append(out, made)
	}
	return component.Outputs(document.List(out)), nil
}

func (c *DocumentCleaner) clean(ctx context.Context, text string) (string, error) {
	for _, s := range c.steps {
		var err error
		if text, err = s(ctx, text); err != nil {
			return "", err
		}
	}
	return text, nil
}

func eachPage(fn func(string) string) func(string) string {
	return func(text string) string {
		if !strings.Contains(text, "\f") {
			return fn(text)
		}
		pages := strings.Split(text, "\f")
		for i, p := range pages {
			pages[i] = fn(p)
		}
		return strings.Join(pages, "\f")
	}
}

// asciiOnly takes characters apart and drops what is not ASCII.
func asciiOnly(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x80 {
			return -1
		}
		return r
	}, norm.NFKD.String(text))
}

// squeeze makes one space of two or more white space characters.
func squeeze(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	run, start := 0, 0 // white space characters met, and where they began
	for i, r := range text {
		if value.IsSpace(r) {
			if run == 0 {
				start = i
			}
			run++
			continue
		}
		writeRun(&b, text[start:i], run)
		run = 0
		b.WriteString(text[i : i+utf8.RuneLen(r)])
	}
	writeRun(&b, text[start:], run)
	return b.String()
}

func writeRun(b *strings.Builder, space string, n int) {
	switch {
	case n >= 2:
		b.WriteByte(' ')
	case n == 1:
		b.WriteString(space)
	}
}

func dropEmptyLines(page string) string {
	var b strings.Builder
	b.Grow(len(page))
	for line := range strings.SplitSeq(page, "\n") {
		if value.PyStrip(line) == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(line)
	}
	return b.String()
}
