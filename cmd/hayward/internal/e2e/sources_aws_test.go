package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source/awssm"
)

// A shared secret in AWS goes where the setting says, to every tenant; its paths are those of the template.
func TestSecretsComeFromAWS(t *testing.T) {
	model := newListener(t)
	var shared string
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ SecretId string }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if asked.SecretId != shared || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified secret."}`)
			return
		}
		fmt.Fprintf(w, `{"Name": %q, "SecretString": "sk-from-aws-0001", "VersionId": "v", "VersionStages": ["AWSCURRENT"], "CreatedDate": 1700000000.0}`, shared)
	}))
	defer aws.Close()
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(model.URL, "http://")}
		reach, err := app.PolicyFor(aws.URL)
		if err != nil {
			t.Fatal(err)
		}
		set.Sources.AWS = &awssm.Options{Region: "eu-central-1", AccessKeyID: sealed.NewString("AKIA"), SecretAccessKey: sealed.NewString("canary-key"), Endpoint: aws.URL, Egress: reach, Attempts: 1}
		set.Sources.AWSTemplate = "hayward/{app}/{tenant}/{name}"
		set.Sources.Shared = map[string][]sealed.Destination{"OPENAI_API_KEY": {sealed.MustDestination(model.URL)}}
	})
	shared = "hayward/" + s.AppID + "/=2Fshared/OPENAI_API_KEY"
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Deploy(ann, "ask", fmt.Sprintf(askYAML, model.URL))
	s.Must(200, ann, "POST", "/ask/run", `{"name": "x"}`)
	if keys := model.heard(); !slices.Equal(keys, []string{"sk-from-aws-0001"}) {
		t.Errorf("the model heard %q", keys)
	}
	aws.Close()
	s.Deploy(ann, "ask", strings.Replace(fmt.Sprintf(askYAML, model.URL), "OPENAI_API_KEY", "OTHER", 1))
	if text := s.Must(503, ann, "POST", "/ask/run", `{"name": "x"}`); !strings.Contains(text, "tenant's part of aws-secrets-manager") {
		t.Error(text)
	}
}
