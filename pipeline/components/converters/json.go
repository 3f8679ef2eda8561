package converters

import (
	"context"

	"github.com/itchyny/gojq"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// JSONConverter makes documents of JSON files (haystack/components/converters/json.py).
type JSONConverter struct {
	jq       *gojq.Code // nil: the whole file
	key      *string    // nil: what the filter gives is the content
	all      bool       // all other fields go into meta
	fields   []string   // else these
	fullPath bool
}

// JSONConverterType describes [JSONConverter].
func JSONConverterType() *component.Type {
	return &component.Type{
		Name: "haystack.components.converters.json.JSONConverter",
		Doc:  "Makes documents of JSON files.",
		Params: []component.Param{
			component.Optional("jq_schema", nil),
			component.Optional("content_key", nil),
			component.Optional("extra_meta_fields", nil),
			component.Optional("store_full_path", value.Bool(false)),
		},
		New: newJSON,
	}
}

func newJSON(b *component.Builder) (component.Component, *component.Spec, error) {
	c := &JSONConverter{fullPath: b.Bool("store_full_path")}
	jq, key := b.OptStr("jq_schema"), b.OptStr("content_key")
	switch v := b.Get("extra_meta_fields").(type) {
	case value.Str:
		if c.all = v == "*"; !c.all {
			b.Fail("extra_meta_fields", "component '%s': init parameter 'extra_meta_fields' must be '*' or a list of names", b.Name)
		}
	case *value.Set:
		for _, it := range v.Items() {
			c.fields = append(c.fields, value.ToStr(it))
		}
	default:
		c.fields = b.Strs("extra_meta_fields")
	}
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	if jq != nil && *jq != "" {
		var err error
		if c.jq, err = compileJQ(*jq); err != nil {
			return nil, nil, part.Refuse(b, "jq_schema", err)
		}
	}
	if c.key = key; key == nil && c.jq == nil {
		return nil, nil, part.Refuse(b, "content_key",
			part.ValueError("No `jq_schema` nor `content_key` specified. Set either or both to extract data."))
	}
	return c, part.Spec(inputs(), part.Out("documents", part.Documents)), nil
}

// Run makes a document of each source, or of each result of the filter. content_key names the content, which must be a
// scalar; what is not is left out with a warning.
func (c *JSONConverter) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	return convert(ctx, env, in[0], in[1], func(s source) ([]*document.Document, error) {
		text, err := decode(s.stream.Data, "utf-8-sig")
		if err != nil {
			return nil, err
		}
		v, err := value.FromJSON([]byte(text))
		if err != nil {
			return nil, err
		}
		objects := []value.Value{v}
		if c.jq != nil {
			if objects, err = runJQ(ctx, c.jq, v); err != nil {
				return nil, err
			}
		}
		var out []*document.Document
		for _, o := range objects {
			doc, err := c.document(s, o)
			if err != nil {
				part.Log(env).Warn("a JSON value is left out", "component", env.Component(), "error", err)
				continue
			}
			out = append(out, doc)
		}
		return out, nil
	})
}

func (c *JSONConverter) document(s source, v value.Value) (*document.Document, error) {
	doc := document.Document{Meta: s.merged(true)}
	content := v
	if c.key != nil {
		obj, ok := v.(*value.Dict)
		if !ok {
			return nil, part.TypeError("%s is not a mapping", value.TypeName(v))
		}
		if content, ok = obj.Get(*c.key); !ok {
			return nil, part.ValueError("there is no field '%s'", *c.key)
		}
		c.addMeta(doc.Meta, obj)
	}
	if k := content.Kind(); k == value.KindList || k == value.KindDict {
		return nil, part.TypeError("the content is %s, not a scalar", value.TypeName(content))
	}
	if content != value.None || c.key == nil {
		text := value.ToStr(content)
		doc.Content = &text
	}
	if p, _ := s.stream.Meta.Get("file_path"); !c.fullPath && !value.IsNone(p) && value.Truthy(p) {
		name, _ := s.merged(false).Get("file_path")
		doc.Meta.Set("file_path", name)
	}
	return document.New(doc)
}

// addMeta copies the fields that go into meta; one that is missing is None.
func (c *JSONConverter) addMeta(meta, obj *value.Dict) {
	if c.all {
		for k, v := range obj.All() {
			if k != value.Str(*c.key) {
				meta.SetKey(k, v)
			}
		}
	}
	for _, f := range c.fields {
		v, ok := obj.Get(f)
		if !ok {
			v = value.None
		}
		meta.Set(f, v)
	}
}
