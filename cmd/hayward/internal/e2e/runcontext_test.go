package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
)

// talker answers with how many messages it was sent, and what that cost.
func talker(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Messages []struct{ Role, Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		var said []string
		for _, m := range asked.Messages {
			said = append(said, m.Role+" "+m.Content)
		}
		fmt.Fprintf(w, `{"model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": %q}}],
			"usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}`, "after "+strings.Join(said, ", "))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func conversation(model string) string {
	return `components:
  prompt: {type: haystack.components.builders.chat_prompt_builder.ChatPromptBuilder, init_parameters: {template: [{role: user, content: [{text: "{{ query }}"}]}]}}
  history: {type: hayward.components.sessions.reader.SessionReader, init_parameters: {}}
  llm: {type: haystack.components.generators.chat.openai.OpenAIChatGenerator, init_parameters: {model: m, api_base_url: "` + model + `/v1", max_retries: 0}}
  keep: {type: hayward.components.sessions.writer.SessionWriter, init_parameters: {}}
connections:
  - {sender: prompt.prompt, receiver: history.messages}
  - {sender: prompt.prompt, receiver: keep.messages}
  - {sender: history.messages, receiver: llm.messages}
  - {sender: llm.replies, receiver: keep.replies}
inputs: {query: prompt.query}
outputs: {replies: llm.replies}
`
}

func talking(t *testing.T) (s *apptest.Server, ann, bob, eve string) {
	model := talker(t)
	s = apptest.Start(t, func(o *app.Settings) { o.EgressAllow = append(o.EgressAllow, strings.TrimPrefix(model.URL, "http://")) })
	const password = "a long enough password"
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("acme", "bob", password, policy.Admin)
	s.Member("beta", "eve", password, policy.Admin)
	ann, bob, eve = s.Login("ann", password), s.Login("bob", password), s.Login("eve", password)
	for _, token := range []string{ann, eve} {
		s.Must(http.StatusOK, token, "PUT", "/api/v1/secrets/OPENAI_API_KEY", `{"value": "sk-talk", "destinations": ["`+model.URL+`"]}`)
		s.Deploy(token, "talk", conversation(model.URL))
	}
	return s, ann, bob, eve
}

func say(s *apptest.Server, token, session, text string) string {
	return s.Must(http.StatusOK, token, "POST", "/api/v1/pipelines/talk/runs", fmt.Sprintf(`{"inputs": {"query": %q}, "context": {"session": %q}}`, text, session))
}

func TestAConversationBelongsToWhoHasIt(t *testing.T) {
	s, ann, bob, eve := talking(t)
	if got := say(s, ann, "s-1", "one"); !strings.Contains(got, `"after user one"`) {
		t.Fatal(got)
	}
	if got := say(s, ann, "s-1", "two"); !strings.Contains(got, `"after user one, assistant after user one, user two"`) {
		t.Error(got)
	}
	for who, token := range map[string]string{"a colleague": bob, "another tenant": eve} {
		if got := say(s, token, "s-1", "mine?"); !strings.Contains(got, `"after user mine?"`) {
			t.Errorf("%s reads it: %s", who, got)
		}
		code, theirs := s.Call(token, "DELETE", "/api/v1/sessions/s-2", "")
		again, none := s.Call(token, "DELETE", "/api/v1/sessions/s-3", "")
		if code != http.StatusNotFound || again != code || withoutIDs(theirs) != strings.ReplaceAll(withoutIDs(none), "s-3", "s-2") {
			t.Errorf("%d %s\n%d %s", code, theirs, again, none)
		}
	}
	s.Must(http.StatusNoContent, ann, "DELETE", "/api/v1/sessions/s-1", "")
	if got := say(s, ann, "s-1", "three"); !strings.Contains(got, `"after user three"`) {
		t.Error(got)
	}
	s.Must(http.StatusUnprocessableEntity, ann, "POST", "/api/v1/pipelines/talk/runs", `{"inputs": {"query": "x"}, "context": {"session": "../x"}}`)
}

// withoutIDs takes out what differs between any two answers.
func withoutIDs(problem string) string {
	var d map[string]any
	if err := json.Unmarshal([]byte(problem), &d); err != nil {
		return problem
	}
	delete(d, "request_id")
	delete(d, "instance")
	b, _ := json.Marshal(d)
	return string(b)
}

func TestARunTellsWhatItPaidFor(t *testing.T) {
	s, ann, _, _ := talking(t)
	var answer struct {
		Usage struct {
			Calls      int64 `json:"calls"`
			In         int64 `json:"tokens_in"`
			Out        int64 `json:"tokens_out"`
			Components map[string]struct{ Calls int64 }
		}
	}
	if err := json.Unmarshal([]byte(say(s, ann, "s", "x")), &answer); err != nil {
		t.Fatal(err)
	}
	if u := answer.Usage; u.Calls != 1 || u.In != 7 || u.Out != 2 || len(u.Components) != 1 || u.Components["llm"].Calls != 1 {
		t.Errorf("%+v", u)
	}
}

func TestABudgetStopsARun(t *testing.T) {
	s, ann, _, _ := talking(t)
	for body, want := range map[string]int{
		`{"inputs": {"query": "x"}, "context": {"budget": {"tokens": 20000}}}`: http.StatusOK,
		`{"inputs": {"query": "x"}, "context": {"budget": {"calls": 1}}}`:      http.StatusOK,
		`{"inputs": {"query": "x"}, "context": {"budget": {"tokens": -1}}}`:    http.StatusUnprocessableEntity,
		`{"inputs": {"query": "x"}, "context": {"budget": {"cost": 1}}}`:       http.StatusUnprocessableEntity,
		`{"inputs": {"query": "x"}, "context": {"budget": {"money": 1}}}`:      http.StatusUnprocessableEntity,
	} {
		if code, text := s.Call(ann, "POST", "/api/v1/pipelines/talk/runs", body); code != want {
			t.Errorf("%s: %d %s", body, code, text)
		}
	}
	code, text := s.Call(ann, "POST", "/api/v1/pipelines/talk/runs", `{"inputs": {"query": "x"}, "context": {"budget": {"tokens": 3}}}`)
	if code < 400 || !strings.Contains(text, "BudgetExceeded") {
		t.Errorf("%d %s", code, text)
	}
}
