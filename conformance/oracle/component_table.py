"""Writes init parameters and sockets of Haystack's components as JSON, for pipeline/components/testdata/table.json.

    python component_table.py > ../../pipeline/components/testdata/table.json

With the packages of requirements-2.txt, those that only Haystack 2 has:

    python component_table.py 2 > ../../pipeline/components/testdata/table2.json
"""

import enum
import importlib
import inspect
import json
import sys

try:
    from haystack.core.super_component.super_component import _delegate_default
except ImportError:
    _delegate_default = object()
from haystack.core.serialization import component_from_dict
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.utils.auth import Secret
from haystack.utils.type_serialization import serialize_type

# Required init arguments of the instance whose sockets are listed.
CLASSES = {
    "builders.answer_builder.AnswerBuilder": {},
    "builders.chat_prompt_builder.ChatPromptBuilder": {"template": "{% message role='user' %}{{ a }}{% endmessage %}"},
    "builders.prompt_builder.PromptBuilder": {"template": "{{ a }}"},
    "converters.csv.CSVToDocument": {},
    "converters.html.HTMLToDocument": {},
    "converters.json.JSONConverter": {"content_key": "a"},
    "converters.output_adapter.OutputAdapter": {"template": "{{ a }}", "output_type": "str"},
    "converters.txt.TextFileToDocument": {},
    "extractors.regex_text_extractor.RegexTextExtractor": {"regex_pattern": "(a)"},
    "generators.chat.azure.AzureOpenAIChatGenerator": {"azure_endpoint": "https://example.openai.azure.com"},
    "generators.chat.openai.OpenAIChatGenerator": {},
    "joiners.answer_joiner.AnswerJoiner": {},
    "joiners.branch.BranchJoiner": {"type_": "list[str]"},
    "joiners.document_joiner.DocumentJoiner": {},
    "joiners.list_joiner.ListJoiner": {},
    "joiners.string_joiner.StringJoiner": {},
    "preprocessors.document_cleaner.DocumentCleaner": {},
    "preprocessors.document_preprocessor.DocumentPreprocessor": {},
    "preprocessors.document_splitter.DocumentSplitter": {},
    "preprocessors.text_cleaner.TextCleaner": {},
    "rankers.lost_in_the_middle.LostInTheMiddleRanker": {},
    "rankers.meta_field.MetaFieldRanker": {"meta_field": "a"},
    "retrievers.filter_retriever.FilterRetriever": {"document_store": "store"},
    "retrievers.in_memory.bm25_retriever.InMemoryBM25Retriever": {"document_store": "store"},
    "retrievers.in_memory.embedding_retriever.InMemoryEmbeddingRetriever": {"document_store": "store"},
    "retrievers.sentence_window_retriever.SentenceWindowRetriever": {"document_store": "store"},
    "routers.conditional_router.ConditionalRouter": {
        "routes": [{"condition": "{{ a }}", "output": "{{ a }}", "output_name": "o", "output_type": "str"}]
    },
    "routers.document_length_router.DocumentLengthRouter": {},
    "routers.file_type_router.FileTypeRouter": {"mime_types": ["text/plain"]},
    "routers.metadata_router.MetadataRouter": {"rules": {"r": {"field": "meta.a", "operator": "==", "value": 1}}},
    "writers.document_writer.DocumentWriter": {"document_store": "store"},
}

# What Haystack 3 removed.
REMOVED = {
    "generators.azure.AzureOpenAIGenerator": {"azure_endpoint": "https://example.openai.azure.com"},
    "generators.openai.OpenAIGenerator": {},
}

# And outside haystack.components.
OTHERS = {
    "haystack.core.super_component.super_component.SuperComponent": {
        "pipeline": {
            "components": {
                "a": {"type": "haystack.components.joiners.string_joiner.StringJoiner", "init_parameters": {}},
                "b": {"type": "haystack.components.joiners.document_joiner.DocumentJoiner", "init_parameters": {}},
            },
            "connections": [],
        }
    }
}


def plain(value):
    if value is _delegate_default:
        return {}
    if isinstance(value, Secret):
        return value.to_dict()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, type) or getattr(value, "__origin__", None) is not None:
        return serialize_type(value)
    if isinstance(value, tuple):
        return list(value)
    return value


CHUNK = "[haystack.dataclasses.streaming_chunk.StreamingChunk]"


def type_string(t):
    # Haystack 2 writes a Callable without its parameters.
    return serialize_type(t).replace("collections.abc.Callable[, ", f"collections.abc.Callable[{CHUNK}, ")


def socket(s):
    return {
        "name": s.name,
        "type": type_string(s.type),
        "mandatory": s.is_mandatory,
        "default": None if s.is_mandatory else plain(s.default_value),
        "variadic": "greedy" if s.is_greedy else "lazy" if s.is_lazy_variadic else "",
    }


def entry(path, args):
    module, name = path.rsplit(".", 1)
    cls = getattr(importlib.import_module(module), name)
    params = [
        {"name": p.name, "required": p.default is p.empty, "default": None if p.default is p.empty else plain(p.default)}
        for p in list(inspect.signature(cls.__init__).parameters.values())[1:]
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    given = dict(args)
    if "document_store" in given:
        given["document_store"] = InMemoryDocumentStore().to_dict()
        given["document_store"]["init_parameters"]["index"] = "x"
    made = component_from_dict(cls, {"type": module + "." + name, "init_parameters": json.loads(json.dumps(given))}, None)
    return {
        "type": module + "." + name,
        "given": given,
        "params": params,
        "inputs": sorted((socket(s) for s in made.__haystack_input__._sockets_dict.values()), key=lambda s: s["name"]),
        "outputs": sorted(
            ({"name": s.name, "type": serialize_type(s.type)} for s in made.__haystack_output__._sockets_dict.values()),
            key=lambda s: s["name"],
        ),
    }


if sys.argv[1:] == ["2"]:
    CLASSES, OTHERS = REMOVED, {}
json.dump([entry("haystack.components." + path, args) for path, args in sorted(CLASSES.items())]
    + [entry(path, args) for path, args in sorted(OTHERS.items())], sys.stdout, indent=1)
print()
