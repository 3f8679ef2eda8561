package components

import (
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/builders"
	"github.com/haywardhq/hayward/pipeline/components/converters"
	"github.com/haywardhq/hayward/pipeline/components/extractors"
	"github.com/haywardhq/hayward/pipeline/components/generators"
	"github.com/haywardhq/hayward/pipeline/components/generators/chat"
	"github.com/haywardhq/hayward/pipeline/components/joiners"
	"github.com/haywardhq/hayward/pipeline/components/preprocessors"
	"github.com/haywardhq/hayward/pipeline/components/rankers"
	"github.com/haywardhq/hayward/pipeline/components/retrievers"
	"github.com/haywardhq/hayward/pipeline/components/retrievers/in_memory"
	"github.com/haywardhq/hayward/pipeline/components/routers"
	"github.com/haywardhq/hayward/pipeline/components/sessions"
	"github.com/haywardhq/hayward/pipeline/components/writers"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/supercomponent"
)

// Registry returns the table of all component and store types.
func Registry() *component.Registry {
	return component.NewRegistry(append(types(), supercomponent.Type()), stores()).WithPast(past()).WithAbsent(absent())
}

func types() []*component.Type {
	return []*component.Type{
		builders.AnswerBuilderType(),
		builders.ChatPromptBuilderType(),
		builders.PromptBuilderType(),
		converters.CSVToDocumentType(),
		converters.HTMLToDocumentType(),
		converters.JSONConverterType(),
		converters.OutputAdapterType(),
		converters.TextFileToDocumentType(),
		extractors.RegexTextExtractorType(),
		generators.AzureOpenAIGeneratorType(),
		generators.OpenAIGeneratorType(),
		chat.AzureOpenAIChatGeneratorType(),
		chat.OpenAIChatGeneratorType(),
		joiners.AnswerJoinerType(),
		joiners.BranchJoinerType(),
		joiners.DocumentJoinerType(),
		joiners.ListJoinerType(),
		joiners.StringJoinerType(),
		preprocessors.DocumentCleanerType(),
		preprocessors.DocumentPreprocessorType(),
		preprocessors.DocumentSplitterType(),
		preprocessors.TextCleanerType(),
		rankers.LostInTheMiddleRankerType(),
		rankers.MetaFieldRankerType(),
		retrievers.FilterRetrieverType(),
		retrievers.SentenceWindowRetrieverType(),
		in_memory.InMemoryBM25RetrieverType(),
		in_memory.InMemoryEmbeddingRetrieverType(),
		routers.ConditionalRouterType(),
		routers.DocumentLengthRouterType(),
		routers.FileTypeRouterType(),
		routers.MetadataRouterType(),
		sessions.SessionReaderType(),
		sessions.SessionWriterType(),
		writers.DocumentWriterType(),
	}
}

func stores() []*component.StoreType {
	return []*component.StoreType{memory.Type()}
}
