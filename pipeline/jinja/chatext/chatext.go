package chatext

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

const (
	tagName = "haystack_content_part"
	mark    = "chatext.part" // marks text that templatize_part made
)

// Env is an environment for chat templates. It is immutable and safe for concurrent use.
type Env struct {
	jinja *jinja.Env
	parts sentinels
}

// New returns an environment with the extension added to opt, and the tag {% now %}. It sets opt.Finalize.
func New(opt jinja.Options) *Env {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails: it ends the process instead
	s := sentinelsFor(hex.EncodeToString(nonce))
	filters := map[string]jinja.Func{"templatize_part": s.templatize}
	for name, f := range opt.Filters {
		filters[name] = f
	}
	opt.Filters = filters
	opt.Finalize = finalize
	opt.Tags = append([]jinja.Tag{{Name: "message", Parse: s.parseMessage}, {Name: "insert", Parse: parseInsert},
		jinja.NowTag()}, opt.Tags...)
	return &Env{jinja: jinja.New(opt), parts: s}
}

// Jinja returns the environment for the texts of a template that is a list of messages.
func (e *Env) Jinja() *jinja.Env { return e.jinja }

// Template is a compiled chat template. It is immutable and safe for concurrent use.
type Template struct{ *jinja.Template }

// Compile compiles a chat template. Errors are those of [jinja.Env.Compile].
func (e *Env) Compile(source, name string) (*Template, error) {
	t, err := e.jinja.Compile(source, name)
	if err != nil {
		return nil, err
	}
	return &Template{t}, nil
}

// RenderMessages renders the template to messages. Text outside of message tags is an error, except white space. Errors
// are those of [jinja.Template.Render]; what is wrong with a message is a "ValueError".
func (t *Template) RenderMessages(ctx context.Context, vars jinja.Vars) ([]*chat.Message, error) {
	text, err := t.Render(ctx, vars)
	if err != nil {
		return nil, err
	}
	var out []*chat.Message
	for _, line := range strings.Split(value.PyStrip(text), "\n") {
		if line = value.PyStrip(line); line == "" {
			continue
		}
		m, err := readMessage(line)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func readMessage(line string) (*chat.Message, error) {
	v, err := value.FromJSON([]byte(line))
	if err != nil {
		return nil, fault.Wrap(fault.Failed, err, "the chat template prints text outside of its message blocks").
			WithCode("JSONDecodeError").
			WithHint(`Put the text between {%% message role="user" %%} and {%% endmessage %%}.`)
	}
	return chat.FromValue(v)
}

// finalize escapes the tags of parts in everything that is printed, except in parts.
func finalize(c *jinja.Call) (value.Value, error) {
	v := c.Args[0]
	if jinja.MarkOf(v) == mark {
		return v, nil
	}
	text, err := c.Text(v)
	if err != nil || !strings.Contains(text, tagName) {
		return value.Str(text), err
	}
	escaped := strings.NewReplacer("<"+tagName, "&lt;"+tagName, "</"+tagName, "&lt;/"+tagName).Replace(text)
	return value.Str(escaped), c.Alloc(len(escaped))
}
