package openapi

import (
	"bytes"
	"encoding/json"
	"html/template"
	"sort"

	"github.com/danielgtaylor/huma/v2"
)

// ContentSecurityPolicy is what the page is served with: it may do nothing but show itself.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type operation struct {
	Method, Path, Summary, Description string
	Open                               bool
	Params                             []*huma.Param
	Bodies                             []body
	Answers                            []body
}

type body struct{ Name, Schema string }

type section struct {
	Tag        string
	Operations []operation
}

// Page returns an HTML page that shows doc. stylesheet is the URL of [Stylesheet].
func Page(doc *huma.OpenAPI, stylesheet string) ([]byte, error) {
	var out bytes.Buffer
	err := page.Execute(&out, map[string]any{"Info": doc.Info, "Sections": sections(doc), "Schemas": schemas(doc), "Stylesheet": stylesheet})
	return out.Bytes(), err
}

func sections(doc *huma.OpenAPI) []section {
	byTag := map[string][]operation{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			tag := "other"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			byTag[tag] = append(byTag[tag], describe(op))
		}
	}
	var out []section
	for tag, ops := range byTag {
		sort.Slice(ops, func(i, j int) bool {
			return ops[i].Path < ops[j].Path || ops[i].Path == ops[j].Path && ops[i].Method < ops[j].Method
		})
		out = append(out, section{tag, ops})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Tag < out[j].Tag })
	return out
}

func describe(op *huma.Operation) operation {
	o := operation{Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description, Open: len(op.Security) == 0, Params: op.Parameters}
	if op.RequestBody != nil {
		o.Bodies = media(op.RequestBody.Content, "")
	}
	codes := make([]string, 0, len(op.Responses))
	for code := range op.Responses {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	for _, code := range codes {
		m := media(op.Responses[code].Content, code+" ")
		if len(m) == 0 {
			m = []body{{Name: code}}
		}
		o.Answers = append(o.Answers, m...)
	}
	return o
}

func media(content map[string]*huma.MediaType, prefix string) []body {
	var out []body
	for ct, m := range content {
		out = append(out, body{prefix + ct, pretty(m.Schema)})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func schemas(doc *huma.OpenAPI) []body {
	var out []body
	for name, s := range doc.Components.Schemas.Map() {
		out = append(out, body{name, pretty(s)})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func pretty(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(b)
}

// Stylesheet is the page's style.
const Stylesheet = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } summary code { font-size: 1rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; font-family: ui-monospace, monospace; }
.open { float: right; opacity: .7; font-size: .85rem; }
pre { background: var(--soft); padding: .6rem; border-radius: .3rem; overflow-x: auto; font-size: .85rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top; }
nav a { margin-right: 1rem; }
`

var page = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Info.Title}}</title><link rel="stylesheet" href="{{.Stylesheet}}"></head><body>
<h1>{{.Info.Title}}</h1><p>{{.Info.Description}} Version {{.Info.Version}}. The same as JSON: <a href="/openapi.json">openapi.json</a>.</p>
<nav>{{range .Sections}}<a href="#{{.Tag}}">{{.Tag}}</a>{{end}}<a href="#schemas">schemas</a></nav>
{{range .Sections}}<h2 id="{{.Tag}}">{{.Tag}}</h2>
{{range .Operations}}<details><summary><span class="method">{{.Method}}</span> <code>{{.Path}}</code> {{.Summary}}{{if .Open}} <span class="open">no login</span>{{end}}</summary>
{{if .Description}}<p>{{.Description}}</p>{{end}}
{{if .Params}}<table><tr><th>parameter</th><th>in</th><th>meaning</th></tr>{{range .Params}}<tr><td><code>{{.Name}}</code>{{if .Required}} (required){{end}}</td><td>{{.In}}</td><td>{{.Description}}</td></tr>{{end}}</table>{{end}}
{{range .Bodies}}<p>Request <code>{{.Name}}</code></p><pre>{{.Schema}}</pre>{{end}}
{{range .Answers}}<p>Answer <code>{{.Name}}</code></p>{{if .Schema}}<pre>{{.Schema}}</pre>{{end}}{{end}}
</details>{{end}}{{end}}
<h2 id="schemas">schemas</h2>{{range .Schemas}}<details><summary><code>{{.Name}}</code></summary><pre>{{.Schema}}</pre></details>{{end}}
</body></html>
`))
