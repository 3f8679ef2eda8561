package config

import (
	"strings"

	"github.com/haywardhq/hayward/sealed"
	secretsource "github.com/haywardhq/hayward/vault/source"
)

// badOpenBao wants an address with exactly one way to log in.
func (c Config) badOpenBao() string {
	ways := 0
	for _, way := range []string{c.OpenBaoTokenFile, c.OpenBaoRoleID, c.OpenBaoKubernetesRole} {
		if way != "" {
			ways++
		}
	}
	switch {
	case c.OpenBaoAddress == "":
		return unless(ways == 0 && c.OpenBaoSecretIDFile == "", "a way to log in is given, but no address")
	case ways != 1:
		return "it needs one of openbao-token-file, openbao-role-id and openbao-kubernetes-role"
	case c.OpenBaoSecretIDFile != "" && c.OpenBaoRoleID == "":
		return "openbao-secret-id-file goes with openbao-role-id"
	}
	_, err := sealed.ParseDestination(c.OpenBaoAddress)
	return textOf(err)
}

// badAWS wants all of a region and two keys, or nothing.
func (c Config) badAWS() string {
	if c.AWSSecretsRegion == "" {
		return unless(c.AWSSecretsAccessKeyID == "" && c.AWSSecretsSecretKeyFile == "" && c.AWSSecretsSessionTokenFile == "" && c.AWSSecretsEndpoint == "",
			"keys or an endpoint are given, but no region")
	}
	return unless(c.AWSSecretsAccessKeyID != "" && c.AWSSecretsSecretKeyFile != "", "it needs aws-secrets-access-key-id and aws-secrets-secret-key-file")
}

// badTemplate asks the source that will use it.
func badTemplate(template string) string {
	_, err := secretsource.NewTenants(nil, template)
	return textOf(err)
}

// notSecretAndOrigin checks NAME=https://host of a shared secret.
func notSecretAndOrigin(item string) string {
	name, origin, ok := strings.Cut(item, "=")
	if !ok || name == "" {
		return "write NAME=https://api.example.com: a secret and the origin that may receive it"
	}
	_, err := sealed.ParseDestination(origin)
	return textOf(err)
}

// badTracing wants an address for whatever is said about traces.
func (c Config) badTracing() string {
	if c.TraceEndpoint == "" {
		return unless(!c.TraceContent && c.TraceTokenFile == "", "trace-content or trace-token-file is given, but no endpoint")
	}
	return unless(isOrigin(c.TraceEndpoint), "%q is not an http or https URL without query", c.TraceEndpoint)
}
