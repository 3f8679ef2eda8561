package generators

import (
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/generators/chat"
)

const azureType = "haystack.components.generators.azure.AzureOpenAIGenerator"

// AzureOpenAIGenerator is [OpenAIGenerator] for models on Azure (haystack-ai 2.31,
// haystack/components/generators/azure.py).
type AzureOpenAIGenerator struct{ *OpenAIGenerator }

// AzureOpenAIGeneratorType describes [AzureOpenAIGenerator].
func AzureOpenAIGeneratorType() *component.Type {
	return &component.Type{
		Name:    azureType,
		Doc:     "Asks a model of OpenAI on Azure for text. Of Haystack 2; its successor is AzureOpenAIChatGenerator.",
		Removed: true,
		Params: append(chat.AzureParams(),
			component.Optional("system_prompt", nil),
			component.Optional("timeout", nil),
			component.Optional("max_retries", nil),
			component.Optional("http_client_kwargs", nil),
			component.Optional("generation_kwargs", nil),
			component.Optional("default_headers", nil),
			component.Optional("azure_ad_token_provider", nil),
		),
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			g, err := chat.NewAzure(b, azureType)
			if err != nil {
				return nil, nil, err
			}
			made, spec, err := build(b, g)
			return AzureOpenAIGenerator{made}, spec, err
		},
	}
}
