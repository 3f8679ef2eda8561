package config

import (
	"fmt"
	"strings"

	"github.com/haywardhq/hayward/sealed"
	secretsource "github.com/haywardhq/hayward/vault/source"
)

// badOpenBao wants an address with exactly one way to log in.
func (c Config) badOpenBao() string {
	return badBao("openbao-", c.OpenBaoAddress, c.OpenBaoTokenFile, c.OpenBaoRoleID, c.OpenBaoSecretIDFile, c.OpenBaoKubernetesRole)
}

func badBao(prefix, address, token, role, secret, kubernetes string) string {
	ways := 0
	for _, way := range []string{token, role, kubernetes} {
		if way != "" {
			ways++
		}
	}
	switch {
	case address == "":
		return unless(ways == 0 && secret == "", "a way to log in is given, but no address")
	case ways != 1:
		return fmt.Sprintf("it needs one of %[1]stoken-file, %[1]srole-id and %[1]skubernetes-role", prefix)
	case secret != "" && role == "":
		return fmt.Sprintf("%[1]ssecret-id-file goes with %[1]srole-id", prefix)
	}
	_, err := sealed.ParseDestination(address)
	return textOf(err)
}

// badAWS wants all of a region and its keys, or nothing.
func (c Config) badAWS() string {
	three := c.AWSSecretsAccessKeyID != "" || c.AWSSecretsSecretKeyFile != "" || c.AWSSecretsSessionTokenFile != ""
	switch {
	case c.AWSSecretsRegion == "":
		return unless(!three && c.AWSSecretsCredentialsFile == "" && c.AWSSecretsEndpoint == "", "keys or an endpoint are given, but no region")
	case c.AWSSecretsCredentialsFile != "":
		return unless(!three, "aws-secrets-credentials-file stands in place of the other settings with keys")
	}
	return unless(c.AWSSecretsAccessKeyID != "" && c.AWSSecretsSecretKeyFile != "",
		"it needs aws-secrets-credentials-file, or aws-secrets-access-key-id and aws-secrets-secret-key-file")
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
