package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// printOutputs prints what a pipeline gave: for programs, what Python's json.dumps makes of it on one line.
func (c *cli) printOutputs(out *value.Dict) error {
	if c.format != tui.JSON {
		_, err := io.WriteString(c.out, showOutputs(out))
		return err
	}
	text, err := value.ToJSON(out, value.JSONOptions{Default: toDict})
	if err != nil {
		return fault.Wrap(fault.Failed, err, "the outputs cannot be written as JSON").WithHint("leave out --output json to look at them")
	}
	_, err = io.WriteString(c.out, text+"\n")
	return err
}

// toDict is the default= of json.dumps: data classes give their to_dict(), which spreads a Document's meta over its
// fields. What has none is written as near as JSON comes.
func toDict(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case value.Object:
		return v.ToDict(), nil
	case value.Bytes:
		list := value.NewList()
		for i := range len(v) {
			list.Items = append(list.Items, value.Int(v[i]))
		}
		return list, nil
	case *value.Set:
		return value.NewList(v.Items()...), nil
	}
	return value.Str(value.ToStr(v)), nil
}

// showOutputs writes outputs for people: what was answered first, then everything as a tree.
func showOutputs(v value.Value) string {
	out := value.AsDicts(v)
	var b strings.Builder
	for _, text := range answers(out) {
		b.WriteString(tui.CleanLines(text) + "\n\n")
	}
	return b.String() + treeOf(out)
}

func treeOf(v value.Value) string {
	var b bytes.Buffer
	tree(&b, v, "")
	return b.String()
}

// answers collects the texts of answers and replies, each once. Data classes are their dictionaries here, as they are when
// a server sends them.
func answers(v value.Value) (out []string) {
	switch v := v.(type) {
	case *value.List:
		for _, it := range v.Items {
			out = more(out, answers(it)...)
		}
	case *value.Dict:
		if text, ok := answerText(v); ok {
			return []string{text}
		}
		for _, it := range v.All() {
			out = more(out, answers(it)...)
		}
	}
	return out
}

func more(have []string, texts ...string) []string {
	for _, t := range texts {
		if t != "" && !slices.Contains(have, t) {
			have = append(have, t)
		}
	}
	return have
}

// answerText reads the text of an answer or an assistant's message.
func answerText(d *value.Dict) (string, bool) {
	if t, _ := d.Get("type"); t != nil && strings.HasSuffix(value.ToStr(t), "GeneratedAnswer") {
		init, _ := d.Get("init_parameters")
		if fields, ok := init.(*value.Dict); ok {
			data, _ := fields.Get("data")
			text, ok := data.(value.Str)
			return string(text), ok
		}
	}
	role, _ := d.Get("role")
	content, _ := d.Get("content")
	parts, ok := content.(*value.List)
	if role != value.Str("assistant") || !ok {
		return "", false
	}
	var texts []string
	for _, p := range parts.Items {
		if part, ok := p.(*value.Dict); ok {
			if text, ok := part.Get("text"); ok {
				texts = append(texts, value.ToStr(text))
			}
		}
	}
	return strings.Join(texts, "\n"), true
}

// maxShown is how much of a text the tree shows, in characters.
const maxShown = 200

// tree writes a value as indented lines.
func tree(b *bytes.Buffer, v value.Value, indent string) {
	switch v := v.(type) {
	case *value.Dict:
		for k, it := range v.All() {
			branch(b, tui.Clean(value.ToStr(k))+":", it, indent)
		}
	case *value.List:
		for _, it := range v.Items {
			branch(b, "-", it, indent)
		}
	}
}

func branch(b *bytes.Buffer, head string, v value.Value, indent string) {
	if n, _ := value.Len(v); n > 0 && isTree(v) {
		fmt.Fprintf(b, "%s%s\n", indent, head)
		tree(b, v, indent+"  ")
		return
	}
	fmt.Fprintf(b, "%s%s %s\n", indent, head, leaf(v))
}

func isTree(v value.Value) bool {
	switch v.(type) {
	case *value.Dict, *value.List:
		return true
	}
	return false
}

func leaf(v value.Value) string {
	text, ok := v.(value.Str)
	if !ok {
		return short(value.Repr(v))
	}
	return short(string(text))
}

func short(text string) string {
	runes := []rune(text)
	if len(runes) > maxShown {
		text = string(runes[:maxShown]) + fmt.Sprintf(" ... (%d characters)", len(runes))
	}
	return tui.Clean(text)
}
