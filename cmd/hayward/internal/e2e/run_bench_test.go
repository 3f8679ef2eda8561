package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
)

const twoNodes = `components:
  ask:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters:
      template: "What grows on field {{ number }} of {{ name }}?"
      required_variables: "*"
  frame:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters:
      template: "Question: {{ question }}\nAnswer:"
      required_variables: "*"
connections:
  - {sender: ask.prompt, receiver: frame.question}
inputs:
  name: ask.name
  number: ask.number
outputs:
  prompt: frame.prompt
`

// What a request for two small components costs with everything on: run it with -cpuprofile to see where time goes.
func BenchmarkRunOverHTTP(b *testing.B) {
	s := apptest.Start(b, nil)
	s.Member("acme", "ann", password, policy.Admin)
	token := s.Login("ann", password)
	s.Deploy(token, "two", twoNodes)
	post(b, s.URL()+"/two/run", token, `{"name": "x", "number": 7}`)
}

// What an audited read of a secret costs with everything on, by clients at a time.
func BenchmarkSecretOverHTTP(b *testing.B) {
	s := apptest.Start(b, nil)
	s.Member("acme", "ann", password, policy.Admin)
	token := s.Login("ann", password)
	s.Must(http.StatusOK, token, "PUT", "/api/v1/secrets/THE_KEY", `{"value": "acmes-own-value"}`)
	post(b, s.URL()+"/api/v1/secrets/THE_KEY/reveal", token, "")
}

// post sends the same request again and again, by eight clients for each processor.
func post(b *testing.B, url, token, body string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.ReportAllocs()
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("status %s", resp.Status)
				return
			}
		}
	})
}
