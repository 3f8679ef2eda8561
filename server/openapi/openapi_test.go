package openapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/server/api"
	"github.com/haywardhq/hayward/server/hayhooks"
	"github.com/haywardhq/hayward/server/oauth"
	"github.com/haywardhq/hayward/server/openapi"
	"github.com/haywardhq/hayward/server/router"
)

func routes() []router.Route {
	var out []router.Route
	for _, d := range []router.Mounter{&api.Door{}, &hayhooks.Door{}, &oauth.Door{}} {
		out = append(out, d.Routes()...)
	}
	return out
}

func TestTheDocumentDescribesEveryRoute(t *testing.T) {
	b, err := json.Marshal(openapi.Document(openapi.Info{Title: "Hayward", Version: "1"}, routes(), nil))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct {
			Schemas         map[string]any
			SecuritySchemes map[string]any
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Components.SecuritySchemes["OAuth2PasswordBearer"] == nil {
		t.Fatalf("%.300s", b)
	}
	ids := map[string]string{}
	for _, r := range routes() {
		op, ok := doc.Paths[r.Path][strings.ToLower(r.Method)]
		if !ok {
			t.Errorf("%s %s is missing", r.Method, r.Path)
		}
		if other, twice := ids[op.OperationID]; twice {
			t.Errorf("%s names both %s and %s", op.OperationID, other, r.Path)
		}
		ids[op.OperationID] = r.Path
	}
	if strings.Contains(string(b), "#/components/schemas/") && len(doc.Components.Schemas) == 0 {
		t.Error("references lead nowhere")
	}
}

func TestThePageNeedsNoScript(t *testing.T) {
	b, err := openapi.Page(openapi.Document(openapi.Info{Title: "Hayward", Version: "1"}, routes(), nil), "/docs/style.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "http://", "https://", " style="} {
		if strings.Contains(string(b), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, want := range []string{"/deploy-yaml", "/token", "/api/v1/secrets/{name}"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the page does not show %s", want)
		}
	}
}
