package preprocessors

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/value/pyre"
)

// TextCleaner removes parts of strings (haystack/components/preprocessors/text_cleaner.py).
type TextCleaner struct {
	regex  *pyre.Regexp // nil when there is none
	lower  bool
	remove string // characters
}

// TextCleanerType describes [TextCleaner].
func TextCleanerType() *component.Type {
	return &component.Type{
		Name: "haystack.components.preprocessors.text_cleaner.TextCleaner",
		Doc:  "Removes matches, punctuation and digits from strings, and lowers them.",
		Params: []component.Param{
			component.Optional("remove_regexps", nil),
			component.Optional("convert_to_lowercase", value.Bool(false)),
			component.Optional("remove_punctuation", value.Bool(false)),
			component.Optional("remove_numbers", value.Bool(false)),
		},
		New: newTextCleaner,
	}
}

func newTextCleaner(b *component.Builder) (component.Component, *component.Spec, error) {
	c := &TextCleaner{lower: b.Bool("convert_to_lowercase")}
	if b.Bool("remove_punctuation") {
		c.remove = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	}
	if b.Bool("remove_numbers") {
		c.remove += "0123456789"
	}
	if list := b.Strs("remove_regexps"); len(list) > 0 {
		var err error
		if c.regex, err = pyre.Compile(strings.Join(list, "|"), pyre.IgnoreCase); err != nil {
			return nil, nil, part.Refuse(b, "remove_regexps", err)
		}
	}
	return c, part.Spec([]component.Input{part.In("texts", part.Strs)}, part.Out("texts", part.Strs)), b.Err()
}

// Run cleans each string.
func (c *TextCleaner) Run(ctx context.Context, _ *component.Env, in component.In) (component.Out, error) {
	list, ok := in[0].(*value.List)
	if !ok {
		return component.Out{}, part.TypeError("`texts` must be a list of strings.")
	}
	texts, err := part.StrList("texts", list)
	if err != nil {
		return component.Out{}, part.TypeError("`texts` must be a list of strings.")
	}
	for i, t := range texts {
		if c.regex != nil {
			if t, err = c.regex.Sub(ctx, "", t, 0); err != nil {
				return component.Out{}, err
			}
		}
		if c.lower {
			t = value.PyLower(t)
		}
		if c.remove != "" {
			t = strings.Map(func(r rune) rune {
				if strings.ContainsRune(c.remove, r) {
					return -1
				}
				return r
			}, t)
		}
		texts[i] = t
	}
	return component.Outputs(part.StrValues(texts)), nil
}
