package components

// past says what became of the component types of Haystack 2 that are not in the table: those that haystack-ai 2.6.1 or
// 2.31.0 has and 3.4.0 has not (Haystack's MIGRATION.md). A test holds it against the lists of both.
func past() map[string]string {
	out := map[string]string{
		"haystack.components.generators.hugging_face_api.HuggingFaceAPIGenerator": "Haystack 3 removed it; use 'haystack.components.generators.chat.openai.OpenAIChatGenerator' " +
			"with the endpoint's 'api_base_url', and connect 'messages' instead of 'prompt'",
		"haystack.components.generators.hugging_face_local.HuggingFaceLocalGenerator": "Haystack 3 removed it; serve the model behind an OpenAI-compatible server, " +
			"and use 'haystack.components.generators.chat.openai.OpenAIChatGenerator' with its 'api_base_url'",
		"haystack.components.generators.openai_dalle.DALLEImageGenerator": "Haystack 3 calls it 'haystack.components.generators.openai_image_generator.OpenAIImageGenerator'",
		"haystack.components.tools.tool_invoker.ToolInvoker": "Haystack 3 removed it: 'haystack.components.agents.agent.Agent' calls the model and its tools in turn. " +
			"Tools name Python functions, which cannot run here",
		"haystack.components.rankers.transformers_similarity.TransformersSimilarityRanker":                "Haystack 3 removed it, in favour of SentenceTransformersSimilarityRanker of an integration package",
		"haystack.components.preprocessors.nltk_document_splitter.NLTKDocumentSplitter":                   "Haystack 2.10 removed it; use 'haystack.components.preprocessors.document_splitter.DocumentSplitter'",
		"haystack.components.builders.dynamic_prompt_builder.DynamicPromptBuilder":                        "Haystack 2.5 removed it; use 'haystack.components.builders.prompt_builder.PromptBuilder', whose template a run can set",
		"haystack.components.builders.dynamic_chat_prompt_builder.DynamicChatPromptBuilder":               "Haystack 2.5 removed it; use 'haystack.components.builders.chat_prompt_builder.ChatPromptBuilder', whose template a run can set",
		"haystack.components.generators.hugging_face_tgi.HuggingFaceTGIGenerator":                         "Haystack 2.3 removed it; use 'haystack.components.generators.chat.openai.OpenAIChatGenerator' with the server's 'api_base_url'",
		"haystack.components.embedders.hugging_face_tei_text_embedder.HuggingFaceTEITextEmbedder":         "Haystack 2.3 removed it",
		"haystack.components.embedders.hugging_face_tei_document_embedder.HuggingFaceTEIDocumentEmbedder": "Haystack 2.3 removed it",
	}
	for integration, types := range moved {
		for _, t := range types {
			out["haystack.components."+t] = "Haystack 3 moved it to the integration haystack_integrations." + integration + ", which is not in this table"
		}
	}
	return out
}

// moved are types below haystack.components by the integration module that has them now.
var moved = map[string][]string{
	"components.generators.huggingface_api": {"generators.chat.hugging_face_api.HuggingFaceAPIChatGenerator"},
	"components.embedders.huggingface_api": {"embedders.hugging_face_api_text_embedder.HuggingFaceAPITextEmbedder",
		"embedders.hugging_face_api_document_embedder.HuggingFaceAPIDocumentEmbedder"},
	"components.rankers.huggingface_api":  {"rankers.hugging_face_tei.HuggingFaceTEIRanker"},
	"components.generators.transformers":  {"generators.chat.hugging_face_local.HuggingFaceLocalChatGenerator"},
	"components.readers.transformers":     {"readers.extractive.ExtractiveReader"},
	"components.extractors.transformers":  {"extractors.named_entity_extractor.NamedEntityExtractor"},
	"components.classifiers.transformers": {"classifiers.zero_shot_document_classifier.TransformersZeroShotDocumentClassifier"},
	"components.routers.transformers": {"routers.transformers_text_router.TransformersTextRouter",
		"routers.zero_shot_text_router.TransformersZeroShotTextRouter"},
	"components.classifiers.langdetect": {"classifiers.document_language_classifier.DocumentLanguageClassifier"},
	"components.routers.langdetect":     {"routers.text_language_router.TextLanguageRouter"},
	"components.embedders.sentence_transformers": {"embedders.sentence_transformers_text_embedder.SentenceTransformersTextEmbedder",
		"embedders.sentence_transformers_document_embedder.SentenceTransformersDocumentEmbedder",
		"embedders.sentence_transformers_sparse_text_embedder.SentenceTransformersSparseTextEmbedder",
		"embedders.sentence_transformers_sparse_document_embedder.SentenceTransformersSparseDocumentEmbedder",
		"embedders.image.sentence_transformers_doc_image_embedder.SentenceTransformersDocumentImageEmbedder"},
	"components.rankers.sentence_transformers": {"rankers.sentence_transformers_similarity.SentenceTransformersSimilarityRanker",
		"rankers.sentence_transformers_diversity.SentenceTransformersDiversityRanker"},
	"components.websearch.serperdev":              {"websearch.serper_dev.SerperDevWebSearch"},
	"components.websearch.searchapi":              {"websearch.searchapi.SearchApiWebSearch"},
	"components.audio.whisper":                    {"audio.whisper_local.LocalWhisperTranscriber", "audio.whisper_remote.RemoteWhisperTranscriber"},
	"components.converters.tika":                  {"converters.tika.TikaDocumentConverter"},
	"components.converters.azure_form_recognizer": {"converters.azure.AzureOCRDocumentConverter"},
	"components.connectors.openapi":               {"connectors.openapi.OpenAPIConnector", "connectors.openapi_service.OpenAPIServiceConnector"},
	"components.converters.openapi":               {"converters.openapi_functions.OpenAPIServiceToFunctions"},
}
