package main

import (
	"os"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source/awssm"
	"github.com/haywardhq/hayward/vault/source/openbao"
)

// around reads what runs have around them: sources of secrets, traces, prices.
func around(c config.Config, s *app.Settings) (err error) {
	if s.Sources, err = secretSources(c); err != nil {
		return err
	}
	if s.Traces, err = tracing(c); err != nil {
		return err
	}
	s.Concurrency = c.RunConcurrency
	s.Prices, err = c.Prices()
	return err
}

func tracing(c config.Config) (app.Traces, error) {
	token, err := config.SecretFile("trace-token-file", c.TraceTokenFile)
	return app.Traces{Endpoint: c.TraceEndpoint, Content: c.TraceContent, Token: token}, err
}

func secretSources(c config.Config) (s app.Sources, err error) {
	s = app.Sources{OpenBaoTemplate: c.OpenBaoTemplate, AWSTemplate: c.AWSSecretsTemplate, Dir: c.SecretsDir, DirTemplate: c.SecretsDirTemplate, Cache: c.SecretSourceCache}
	if s.Shared, err = namesAndOrigins("secret-source-shared", c.SecretSourceShared); err != nil {
		return s, err
	}
	if c.OpenBaoAddress != "" {
		if s.OpenBao, err = openBao(c); err != nil {
			return s, err
		}
	}
	if c.AWSSecretsRegion != "" {
		s.AWS, err = awsSecrets(c)
	}
	return s, err
}

func openBao(c config.Config) (*openbao.Options, error) {
	o := &openbao.Options{Address: c.OpenBaoAddress, Namespace: c.OpenBaoNamespace, Mount: c.OpenBaoMount}
	var err error
	if o.Egress, err = app.PolicyFor(c.OpenBaoAddress); err != nil {
		return nil, err
	}
	if c.OpenBaoCAFile != "" {
		if o.CA, err = os.ReadFile(c.OpenBaoCAFile); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the file of the setting openbao-ca-file cannot be read")
		}
	}
	switch {
	case c.OpenBaoKubernetesRole != "":
		o.Auth = openbao.Kubernetes{Role: c.OpenBaoKubernetesRole}
	case c.OpenBaoRoleID != "":
		id, err := config.SecretFile("openbao-secret-id-file", c.OpenBaoSecretIDFile)
		if err != nil {
			return nil, err
		}
		o.Auth = openbao.AppRole{RoleID: sealed.NewString(c.OpenBaoRoleID), SecretID: id}
	default:
		token, err := config.SecretFile("openbao-token-file", c.OpenBaoTokenFile)
		if err != nil {
			return nil, err
		}
		o.Auth = openbao.Token{Value: token}
	}
	return o, nil
}

func awsSecrets(c config.Config) (*awssm.Options, error) {
	o := &awssm.Options{Region: c.AWSSecretsRegion, AccessKeyID: sealed.NewString(c.AWSSecretsAccessKeyID), Endpoint: c.AWSSecretsEndpoint}
	var err error
	if o.SecretAccessKey, err = config.SecretFile("aws-secrets-secret-key-file", c.AWSSecretsSecretKeyFile); err != nil {
		return nil, err
	}
	if o.SessionToken, err = config.SecretFile("aws-secrets-session-token-file", c.AWSSecretsSessionTokenFile); err != nil {
		return nil, err
	}
	if c.AWSSecretsEndpoint != "" {
		o.Egress, err = app.PolicyFor(c.AWSSecretsEndpoint)
	}
	return o, err
}
