package openapi

import (
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/audit"
)

// Info is the head of the document.
type Info struct {
	Title, Description, Version string
}

// Pipeline is a deployed pipeline as the document shows it.
type Pipeline struct {
	Name, Description string
	Inputs            map[string]*huma.Schema // by declared name
	Required          []string
	Upload            bool // takes files as multipart/form-data
}

const bearer = "OAuth2PasswordBearer"

var pathParam = regexp.MustCompile(`\{([^}]+)\}`)

// Document returns the OpenAPI 3.1 document of the routes and of the given pipelines.
func Document(info Info, routes []router.Route, pipelines []Pipeline) *huma.OpenAPI {
	reg := huma.NewMapRegistry("#/components/schemas/", schemaName)
	// On the wire these are strings.
	for _, t := range []any{router.Sealed{}, router.SealedFor{}, sealed.Destination{}} {
		reg.RegisterTypeAlias(reflect.TypeOf(t), reflect.TypeFor[string]())
	}
	reg.RegisterTypeAlias(reflect.TypeFor[router.Value](), reflect.TypeFor[any]())
	reg.RegisterTypeAlias(reflect.TypeFor[audit.Detail](), reflect.TypeFor[[]string]()) // a pair
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: info.Title, Description: info.Description, Version: info.Version},
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{Schemas: reg, SecuritySchemes: map[string]*huma.SecurityScheme{
			bearer: {Type: "oauth2", Flows: &huma.OAuthFlows{Password: &huma.OAuthFlow{TokenURL: "token", Scopes: map[string]string{}}}},
		}},
	}
	for i := range routes {
		if routes[i].Document {
			add(doc, reg, &routes[i])
		}
	}
	for _, p := range pipelines {
		addPipeline(doc, p)
	}
	return doc
}

func add(doc *huma.OpenAPI, reg huma.Registry, r *router.Route) {
	op := &huma.Operation{
		OperationID: operationID(r.Method, r.Path), Method: r.Method, Path: r.Path, Summary: r.Summary,
		Responses: map[string]*huma.Response{},
	}
	if r.Tag != "" {
		op.Tags = []string{r.Tag}
	}
	if r.Open == "" {
		op.Security = []map[string][]string{{bearer: {}}}
	}
	for _, m := range pathParam.FindAllStringSubmatch(r.Path, -1) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: m[1], In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
	}
	for _, q := range r.Params {
		op.Parameters = append(op.Parameters, &huma.Param{Name: q.Name, In: "query", Description: q.Doc, Schema: &huma.Schema{Type: paramType(q)}})
	}
	if len(r.Accepts) > 0 {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
		for _, b := range r.Accepts {
			op.RequestBody.Content[b.ContentType] = &huma.MediaType{Schema: schemaOf(reg, b.Example)}
		}
	}
	op.Responses[successCode(r)] = success(reg, r)
	op.Responses["default"] = failure(reg, r.Dialect)
	put(doc, r.Path, r.Method, op)
}

// schemaName adds the package to a type's name: two rooms may have a Version each.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	pkg := t.PkgPath()
	pkg = pkg[strings.LastIndexByte(pkg, '/')+1:]
	if pkg == "" {
		return huma.DefaultSchemaNamer(t, hint)
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + huma.DefaultSchemaNamer(t, hint)
}

func paramType(q router.Param) string {
	if q.Integer {
		return "integer"
	}
	return "string"
}

func schemaOf(reg huma.Registry, example any) *huma.Schema {
	if s, ok := example.(*huma.Schema); ok {
		return s
	}
	return reg.Schema(reflect.TypeOf(example), true, "")
}

func successCode(r *router.Route) string {
	switch {
	case r.Created:
		return strconv.Itoa(http.StatusCreated)
	case r.Answers == nil:
		return strconv.Itoa(http.StatusNoContent)
	}
	return strconv.Itoa(http.StatusOK)
}

func success(reg huma.Registry, r *router.Route) *huma.Response {
	resp := &huma.Response{Description: "Success"}
	if r.Answers != nil {
		resp.Content = map[string]*huma.MediaType{"application/json": {Schema: schemaOf(reg, r.Answers)}}
	}
	return resp
}

func failure(reg huma.Registry, d router.Dialect) *huma.Response {
	if d == router.FastAPI {
		return &huma.Response{Description: "An error in FastAPI's form", Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"detail": {}}, Required: []string{"detail"}}}}}
	}
	if d == router.OFREP {
		text := &huma.Schema{Type: "string"}
		return &huma.Response{Description: "An error in OpenFeature's form", Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"key": text, "errorCode": text, "errorDetails": text}}}}}
	}
	return &huma.Response{Description: "An error (RFC 9457)", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemaOf(reg, router.Problem{})}}}
}

func addPipeline(doc *huma.OpenAPI, p Pipeline) {
	path := "/" + p.Name + "/run"
	body := &huma.Schema{Type: "object", Properties: p.Inputs, Required: p.Required, AdditionalProperties: false}
	op := &huma.Operation{
		OperationID: strings.NewReplacer("-", "_", ".", "_").Replace(p.Name) + "_run", Method: http.MethodPost, Path: path,
		Summary: "Run " + p.Name, Description: p.Description, Tags: []string{"pipelines"},
		Security:    []map[string][]string{{bearer: {}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "Success", Content: map[string]*huma.MediaType{"application/json": {
				Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"result": {Type: "object"}}, Required: []string{"result"}}}}},
			"default": failure(doc.Components.Schemas, router.FastAPI),
		},
	}
	if p.Upload {
		op.RequestBody.Content["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{
			"files": {Type: "array", Items: &huma.Schema{Type: "string", Format: "binary"}}}}}
	}
	put(doc, path, http.MethodPost, op)
}

func put(doc *huma.OpenAPI, path, method string, op *huma.Operation) {
	item := doc.Paths[path]
	if item == nil {
		item = &huma.PathItem{}
		doc.Paths[path] = item
	}
	switch method {
	case http.MethodGet:
		item.Get = op
	case http.MethodPost:
		item.Post = op
	case http.MethodPut:
		item.Put = op
	case http.MethodDelete:
		item.Delete = op
	case http.MethodPatch:
		item.Patch = op
	}
}

func operationID(method, path string) string {
	words := []string{strings.ToLower(method)}
	for _, seg := range strings.Split(path, "/") {
		if seg = strings.Trim(seg, "{}"); seg != "" {
			words = append(words, strings.NewReplacer("-", "_", ".", "_").Replace(seg))
		}
	}
	return strings.Join(words, "_")
}
