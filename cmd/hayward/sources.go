package main

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/haywardhq/hayward/auth"
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
	if s.RotationTLS, err = trust("rotation-postgres-ca-file", c.RotationPostgresCAFile); err != nil {
		return err
	}
	if s.MetricsKey, err = metricsKey(c.MetricsKeyFile); err != nil {
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
	if o.CA, err = certificates("openbao-ca-file", c.OpenBaoCAFile); err != nil {
		return nil, err
	}
	o.Auth, err = baoLogin("openbao-", c.OpenBaoTokenFile, c.OpenBaoRoleID, c.OpenBaoSecretIDFile, c.OpenBaoKubernetesRole)
	return o, err
}

func awsSecrets(c config.Config) (*awssm.Options, error) {
	o := &awssm.Options{Region: c.AWSSecretsRegion, Endpoint: c.AWSSecretsEndpoint}
	var err error
	if o.Egress, err = app.PolicyFor(c.AWSSecretsEndpoint); err != nil {
		return nil, err
	}
	if c.AWSSecretsCredentialsFile != "" {
		keys, err := config.OpenAWSKeys("aws-secrets-credentials-file", c.AWSSecretsCredentialsFile)
		if err != nil {
			return nil, err
		}
		o.Keys = keys.Keys
		return o, nil
	}
	o.AccessKeyID = sealed.NewString(c.AWSSecretsAccessKeyID)
	if o.SecretAccessKey, err = config.SecretFile("aws-secrets-secret-key-file", c.AWSSecretsSecretKeyFile); err != nil {
		return nil, err
	}
	o.SessionToken, err = config.SecretFile("aws-secrets-session-token-file", c.AWSSecretsSessionTokenFile)
	return o, err
}

// trust makes the certificates of a PEM file roots besides the system's; "" is the system's alone.
func trust(setting, path string) (*tls.Config, error) {
	pem, err := certificates(setting, path)
	if pem == nil || err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "the file of the setting %s holds no certificate in PEM form", setting)
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

func metricsKey(path string) (auth.MachineKey, error) {
	if path == "" {
		return auth.MachineKey{}, nil
	}
	read, err := config.FollowedSecret("metrics-key-file", path)
	if err != nil {
		return auth.MachineKey{}, err
	}
	return auth.NewMachineKey(read)
}
