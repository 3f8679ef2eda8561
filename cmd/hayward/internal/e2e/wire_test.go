package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
)

// POST /token as FastAPI's OAuth2PasswordRequestForm answers.
func TestTheLoginForm(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	const form, wrong = "application/x-www-form-urlencoded", `{"detail":"Incorrect username or password"}`
	pass := strings.ReplaceAll(password, " ", "+")
	missing := func(names ...string) string {
		var list []string
		for _, n := range names {
			list = append(list, `{"type":"missing","loc":["body","`+n+`"],"msg":"Field required","input":null}`)
		}
		return `{"detail":[` + strings.Join(list, ",") + `]}`
	}
	for _, tc := range []struct {
		name, contentType, body, authorization string
		code                                   int
		want                                   string // the whole body, or its beginning for a token
	}{
		{"good", form, "username=ann&password=" + pass, "", 200, `{"access_token":"`},
		{"all the fields", form, "grant_type=password&username=ann&password=" + pass + "&scope=&client_id=&client_secret=", "", 200, `{"access_token":"`},
		{"Swagger's empty client", form, "grant_type=password&username=ann&password=" + pass, "Basic Og==", 200, `{"access_token":"`},
		{"the tenant by name", form, "username=ann&password=" + pass + "&scope=tenant:acme", "", 200, `{"access_token":"`},
		{"multipart", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nann\r\n--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" +
			password + "\r\n--b--\r\n", "", 200, `{"access_token":"`},
		{"wrong", form, "username=ann&password=wrong-wrong-wrong", "", 401, wrong},
		{"nobody", form, "username=nobody&password=wrong-wrong-wrong", "", 401, wrong},
		{"nothing", form, "", "", 422, missing("username", "password")},
		{"no password", form, "username=ann", "", 422, missing("password")},
		{"JSON", "application/json", `{"username": "ann", "password": "` + password + `"}`, "", 422, missing("username", "password")},
		{"another grant", form, "grant_type=x&username=ann&password=" + pass, "", 422,
			`{"detail":[{"type":"string_pattern_mismatch","loc":["body","grant_type"],"msg":"String should match pattern '^password$'","input":"x","ctx":{"pattern":"^password$"}}]}`},
		{"a long name", form, "username=" + strings.Repeat("a", 513) + "&password=x", "", 422,
			`{"detail":[{"type":"string_too_long","loc":["body","username"],"msg":"String should have at most 512 characters","input":null,"ctx":{"max_length":512}}]}`},
		{"twice", form, "username=ann&username=bob&password=x", "", 422, `{"detail":"the field \"username\" comes more than once"}`},
		{"another's tenant", form, "username=ann&password=" + pass + "&scope=tenant:globex", "", 400, `{"detail":"the tenant is not one`},
		{"too many fields", form, manyFields(40), "", 413, `{"detail":"the login form has more than 32 fields`},
		{"too large", form, "username=" + strings.Repeat("a", 2<<20), "", 413, `{"detail":"the body is larger than 65536 bytes`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, err := http.NewRequest("POST", s.URL()+"/token", strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tc.contentType)
			if tc.authorization != "" {
				req.Header.Set("Authorization", tc.authorization)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, _ := io.ReadAll(resp.Body)
			text := string(b)
			if resp.StatusCode != tc.code || !strings.HasPrefix(text, tc.want) || (tc.code == 401 && text != tc.want) {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
			if resp.Header.Get("Cache-Control") != "no-store" || (resp.Header.Get("WWW-Authenticate") == "Bearer") != (tc.code == 401) || (resp.Header.Get("Deprecation") != "") != (tc.code == 200) {
				t.Errorf("headers %v", resp.Header)
			}
			if tc.code == 200 && (!strings.Contains(text, `"token_type":"bearer"`) || !strings.Contains(text, `"scope":"tenant:acme"`)) {
				t.Errorf("got %s", text)
			}
		})
	}
	if resp := s.Send("", "POST", "/token?username=ann&password="+pass, form, strings.NewReader("")); resp.StatusCode != 422 {
		t.Errorf("a password in the URL: %d", resp.StatusCode)
	}
}

func manyFields(n int) string {
	var out []string
	for i := range n {
		out = append(out, "f"+strings.Repeat("x", i)+"=1")
	}
	return strings.Join(out, "&")
}

const numbersYAML = `
components:
  j:
    type: haystack.components.joiners.document_joiner.DocumentJoiner
    init_parameters: {join_mode: concatenate}
  prompt:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters:
      template: "{{ v }} of {{ docs | length }}{% for d in docs %} {{ d.content }}{% endfor %}"
connections:
  - {sender: j.documents, receiver: prompt.docs}
inputs:
  v: prompt.v
  docs: j.documents
  top_k: j.top_k
`

// Hayhooks' routes, answer by answer.
func TestHayhooksAnswers(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	deploy := func(name, source, more string) string {
		return strings.TrimSuffix(mustJSON(t, map[string]string{"name": name, "source_code": source}), "}") + more + "}"
	}
	const gone = `{"detail":"Pipeline 'nope' not found"}`
	const badName = `{"detail":[{"type":"value_error","loc":["body","name"],"msg":"Value error, Pipeline name`
	for _, tc := range []struct {
		method, path, body string
		code               int
		want               string // the beginning
	}{
		{"POST", "/deploy-yaml", deploy("calc", numbersYAML, ""), 200, `{"name":"calc","success":true,"endpoint":"/calc/run"}`},
		{"POST", "/deploy-yaml", deploy("calc", numbersYAML, ""), 409, `{"detail":"Pipeline 'calc' already exists`},
		{"POST", "/deploy-yaml", deploy("calc", numbersYAML, `,"overwrite":true,"skip_mcp":null,"save_file":true,"description":null`), 200, `{"name":"calc"`},
		{"POST", "/deploy-yaml", deploy("calc", numbersYAML, `,"save_file":false`), 422, `{"detail":"save_file: false`},
		{"POST", "/deploy-yaml", deploy("calc", numbersYAML, `,"overwrit":true`), 422, `{"detail":[{"type":"extra_forbidden","loc":["body","overwrit"]`},
		{"POST", "/deploy-yaml", `{"name": "x"}`, 422, `{"detail":[{"type":"missing","loc":["body","source_code"],"msg":"Field required"`},
		{"POST", "/deploy-yaml", `{}`, 422, `{"detail":[{"type":"missing","loc":["body","name"],"msg":"Field required","input":null},{"type":"missing","loc":["body","source_code"]`},
		{"POST", "/deploy-yaml", `{"name": 1, "source_code": "x"}`, 422, `{"detail":[{"type":"string_type","loc":["body","name"]`},
		{"POST", "/deploy-yaml", `{bad`, 422, `{"detail":[{"type":"json_invalid","loc":["body",`},
		{"POST", "/deploy-yaml", ``, 422, `{"detail":[{"type":"missing","loc":["body"]`},
		{"POST", "/deploy-yaml", deploy("../evil", numbersYAML, ""), 422, badName},
		{"POST", "/deploy-yaml", deploy("", numbersYAML, ""), 422, badName},
		{"POST", "/deploy-yaml", deploy("..", numbersYAML, ""), 422, badName},
		{"POST", "/deploy-yaml", deploy("a\x00b", numbersYAML, ""), 422, badName},
		{"POST", "/deploy-yaml", deploy("ünï", numbersYAML, ""), 422, badName},
		{"POST", "/deploy-yaml", deploy(strings.Repeat("n", 101), numbersYAML, ""), 422, badName},
		{"POST", "/deploy-yaml", deploy("status", numbersYAML, ""), 422, badName},
		{"POST", "/deploy-yaml", deploy("big", "# "+strings.Repeat("x", 1<<20), ""), 413, `{"detail":"the pipeline file is larger than 1048576 bytes`},
		{"POST", "/deploy-yaml", deploy("bad", "components:\n  a: {type: x.Y}\n  b: {type: x.Z}\n", ""), 422, `{"detail":"bad:2:`},
		{"POST", "/deploy_files", `{"name": "x", "files": {}}`, 422, `{"detail":"Python pipeline wrappers`},
		{"GET", "/status/calc", "", 200, `{"status":"Up!","pipeline":"calc"}`},
		{"GET", "/status/nope", "", 404, gone},
		{"GET", "/status/%2e%2e", "", 404, `{"detail":"Pipeline '..' not found"}`},
		{"GET", "/status/a%00b", "", 404, `{"detail":"Pipeline 'a\u0000b' not found"}`},
		{"POST", "/undeploy/nope", "", 404, gone},
		{"POST", "/nope/run", "{}", 404, gone},
		{"GET", "/calc/run", "", 405, `{"detail":"Method Not Allowed"}`},
		{"POST", "/calc/walk", "{}", 404, `{"detail":"Not Found"}`},
		{"POST", "/calc/run", `{"v": 1, "docs": []}`, 200, `{"result":{"prompt":{"prompt":"1 of 0"}}}`},
		{"POST", "/calc/run", `{"v": 1.0, "docs": []}`, 200, `{"result":{"prompt":{"prompt":"1.0 of 0"}}}`},
		{"POST", "/calc/run", `{"v": 123456789012345678901234567890, "docs": []}`, 200, `{"result":{"prompt":{"prompt":"123456789012345678901234567890 of 0"}}}`},
		{"POST", "/calc/run", `{"v": "ü<>&", "docs": [{"content": "doc"}]}`, 200, `{"result":{"prompt":{"prompt":"ü<>& of 1 doc"}}}`},
		{"POST", "/calc/run", `{"v": 1, "docs": [], "top_k": null}`, 200, `{"result"`},
		{"POST", "/calc/run", `{"v": 1, "docs": [], "top_k": "x"}`, 422, `{"detail":[{"type":"int_parsing","loc":["body","top_k"],"msg":"Input should be a valid integer, unable to parse string as an integer"`},
		{"POST", "/calc/run", `{"v": 1, "docs": [], "topk": 1}`, 422, `{"detail":[{"type":"extra_forbidden","loc":["body","topk"],"msg":"the pipeline declares no input 'topk' (did you mean 'top_k'?)"`},
		{"POST", "/calc/run", `[]`, 422, `{"detail":[{"type":"model_attributes_type","loc":["body"]`},
		{"POST", "/calc/run", `{bad`, 422, `{"detail":[{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting property name enclosed in double quotes`},
		{"POST", "/undeploy/calc", "", 200, `{"success":true,"name":"calc"}`},
		{"POST", "/undeploy/calc", "", 404, `{"detail":"Pipeline 'calc' not found"}`},
	} {
		if code, text := s.Call(ann, tc.method, tc.path, tc.body); code != tc.code || !strings.HasPrefix(text, tc.want) {
			t.Errorf("%s %s %.80s\n%d %.300s\nwant %d %s", tc.method, tc.path, tc.body, code, text, tc.code, tc.want)
		}
	}
	// Both broken components are named, in both dialects.
	if body := s.Must(422, ann, "POST", "/deploy-yaml", deploy("bad", "components:\n  a: {type: x.Y}\n  b: {type: x.Z}\n", "")); !strings.Contains(body, `bad:3:`) {
		t.Errorf("got %s", body)
	}
	body := s.Must(422, ann, "PUT", "/api/v1/pipelines/bad", mustJSON(t, map[string]string{"source": "components:\n  a: {type: x.Y}\n  b: {type: x.Z}\n"}))
	if !strings.Contains(body, `"problems":[`) || !strings.Contains(body, `"line":3`) {
		t.Errorf("got %s", body)
	}
}
