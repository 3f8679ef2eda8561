package chat

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// AzureOpenAIChatGenerator talks to OpenAI's models on Azure: another address and another header than
// [OpenAIChatGenerator], and the same in everything else.
type AzureOpenAIChatGenerator struct{ *OpenAIChatGenerator }

const azureType = "haystack.components.generators.chat.azure.AzureOpenAIChatGenerator"

// AzureOpenAIChatGeneratorType describes the generator for OpenAI's models on Azure
// (haystack/components/generators/chat/azure.py). Its endpoint is a customer's own, so that no host is documented for it:
// the owner of the key names the endpoint as the key's destination.
func AzureOpenAIChatGeneratorType() *component.Type {
	return &component.Type{
		Name: azureType,
		Doc:  "Asks a chat model of OpenAI that runs on Azure.",
		Params: append(AzureParams(),
			component.Optional("timeout", nil),
			component.Optional("max_retries", nil),
			component.Optional("generation_kwargs", nil),
			component.Optional("default_headers", nil),
			component.Optional("tools", nil),
			component.Optional("tools_strict", value.Bool(false)),
			component.Optional("azure_ad_token_provider", nil),
			component.Optional("http_client_kwargs", nil),
		),
		New: newAzure,
	}
}

// AzureParams are the first init parameters of generators for Azure; what follows them differs in order.
func AzureParams() []component.Param {
	return []component.Param{
		component.Optional("azure_endpoint", nil),
		component.Optional("api_version", value.Str("2024-12-01-preview")),
		component.Optional("azure_deployment", value.Str("gpt-4.1-mini")),
		component.Optional("api_key", component.EnvSecret(false, "AZURE_OPENAI_API_KEY")),
		component.Optional("azure_ad_token", component.EnvSecret(false, "AZURE_OPENAI_AD_TOKEN")),
		component.Optional("organization", nil),
		component.Optional("streaming_callback", nil),
	}
}

func newAzure(b *component.Builder) (component.Component, *component.Spec, error) {
	g, err := NewAzure(b, azureType)
	if err != nil {
		return nil, nil, err
	}
	return AzureOpenAIChatGenerator{g}, chatSpec(), nil
}

// NewAzure reads the init parameters that Azure's generators share, for the type that asks.
func NewAzure(b *component.Builder, typ string) (*OpenAIChatGenerator, error) {
	g, err := common(b, typ)
	if err != nil {
		return nil, err
	}
	for _, p := range [...]string{"azure_endpoint", "api_version"} {
		if _, named := b.Get(p).(*value.Dict); named {
			return nil, part.Refuse(b, p, fault.New(fault.Unsupported, "'%s' names a secret: an address that is secret cannot be checked against a key's destinations", p).
				WithHint("write it into the file; it is no secret"))
		}
	}
	if !b.IsNone("azure_ad_token_provider") {
		return nil, part.Refuse(b, "azure_ad_token_provider", fault.New(fault.Unsupported, "a token provider names Python code, which cannot run here").
			WithHint("set 'azure_ad_token'"))
	}
	g.azureKeys(b)
	deployment := b.OptStr("azure_deployment")
	g.model = "gpt-4.1-mini"
	if deployment != nil && *deployment != "" {
		g.model = *deployment
	}
	if g.headers, err = defaultHeaders(b.Dict("default_headers")); err != nil {
		return nil, part.Refuse(b, "default_headers", err)
	}
	if b.Err() != nil {
		return nil, b.Err()
	}
	if err := g.azureURL(b.OptStr("azure_endpoint"), b.OptStr("api_version")); err != nil {
		return nil, part.Refuse(b, "azure_endpoint", err)
	}
	return g, nil
}

// azureKeys: a directory token goes before a key (openai/lib/azure.py, _prepare_options).
func (g *OpenAIChatGenerator) azureKeys(b *component.Builder) {
	if !b.IsNone("azure_ad_token") {
		g.keys = append(g.keys, keySlot{param: "azure_ad_token", secret: b.Secret("azure_ad_token"), header: "Authorization", prefix: "Bearer "})
	}
	if !b.IsNone("api_key") {
		g.keys = append(g.keys, keySlot{param: "api_key", secret: b.Secret("api_key"), header: "Api-Key"})
	}
	if len(g.keys) == 0 {
		b.Fail("api_key", "Please provide an API key or an Azure Active Directory token.")
	}
}

func (g *OpenAIChatGenerator) azureURL(endpoint, version *string) error {
	if endpoint == nil || *endpoint == "" {
		return part.ValueError("Please provide an Azure endpoint or set the environment variable AZURE_OPENAI_ENDPOINT.").
			WithHint("write 'azure_endpoint' into the file; variables of the server are not looked at")
	}
	if version == nil || *version == "" {
		return part.ValueError("Must provide either the `api_version` argument or the `OPENAI_API_VERSION` environment variable").
			WithHint("write 'api_version' into the file; variables of the server are not looked at")
	}
	if err := g.readURL("azure_endpoint", *endpoint, "/openai/deployments/"+g.model+"/chat/completions"); err != nil {
		return err
	}
	at, err := url.Parse(g.endpoint)
	if err != nil {
		return part.ValueError("'azure_endpoint' is not a URL")
	}
	query := at.Query()
	query.Set("api-version", *version)
	at.RawQuery = query.Encode()
	g.endpoint = at.String()
	return nil
}

func defaultHeaders(d *value.Dict) (http.Header, error) {
	out := http.Header{}
	for k, v := range d.Strings() {
		s, ok := v.(value.Str)
		if !ok || !allowedHeader(k) || strings.EqualFold(k, "api-key") {
			return nil, fault.New(fault.Invalid, "the header '%s' cannot be set in 'default_headers'", k).
				WithHint("credentials come from 'api_key' and 'azure_ad_token'; other headers are strings")
		}
		out.Set(k, string(s))
	}
	return out, nil
}
