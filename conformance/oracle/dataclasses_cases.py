"""Golden cases for pipeline/document and pipeline/chat: what Haystack's own data classes answer.

    pip install haystack-ai==3.4.0   (Python 3.11)
    python -W ignore conformance/oracle/dataclasses_cases.py pipeline/document/testdata pipeline/chat/testdata
"""
import base64
import json
import logging
import sys
from pathlib import Path

from haystack.dataclasses import (ByteStream, ChatMessage, Document, ExtractedAnswer, FileContent, GeneratedAnswer, ImageContent,
                                  SparseEmbedding, StreamingChunk)

logging.disable(logging.CRITICAL)


def attempt(fn):
    try:
        return fn()
    except Exception as e:  # noqa: BLE001
        return {"error": type(e).__name__, "text": str(e)}


def read(cls, data, **dumps):
    """One data class from its dict: its repr, and its dict again in every form."""
    def go():
        o = cls.from_dict(json.loads(json.dumps(data)))
        return {"repr": repr(o), **{name: fn(o) for name, fn in dumps.items()}}
    return {"class": cls.__name__, "data": data, "want": attempt(go)}


def documents():
    d = lambda o: o.to_dict()  # noqa: E731
    flat = {"dict": d, "plain": lambda o: o.to_dict(flatten=False)}
    blob = {"data": [0, 39, 34, 255, 10], "meta": {"a": 1}, "mime_type": "text/plain"}
    sparse = {"indices": [0, 5], "values": [0.5, 1.0]}
    for data in [
        {}, {"content": "hello"}, {"content": ""}, {"content": None, "meta": {}}, {"content": "é日本😀"}, {"content": "x" * 99}, {"content": "é" * 100},
        {"content": "y" * 101}, {"content": "it's \"q\"\n"}, {"id": "my-id", "content": "c"}, {"id": "", "content": "c"}, {"id": None, "content": "c"},
        {"content": "c", "meta": {"b": 1, "a": [1, 2.5, None, True], "é": {"z": "ü", "y": 1e16}}}, {"content": "c", "meta": {"a": float("inf")}},
        {"content": "c", "score": 0.5}, {"content": "c", "score": 1e-7}, {"content": "c", "embedding": [0.1, -2.0, 1e16, 3.0]}, {"content": "c", "embedding": []},
        {"embedding": [1, 2, 3]}, {"content": "c", "embedding": [float(i) / 7 for i in range(300)]}, {"content": "c", "sparse_embedding": sparse}, {"blob": blob},
        {"blob": {"data": []}}, {"blob": {"data": [39] * 5000}}, {"blob": {"data": [65, 66], "mime_type": None}}, {"blob": {"data": list(range(256)) * 3, "mime_type": "application/x"}},
        {"blob": {}}, {"sparse_embedding": {}}, {"content": "c", "blob": blob, "score": 2.0, "embedding": [1.0], "sparse_embedding": sparse, "meta": {"k": "v"}},
        {"content": "c", "name": "n", "page": 3}, {"content": "c", "meta": {"a": 1, "b": 2}, "b": 3, "c": 4}, {"content": "c", "meta": {"content": "x", "id": "y", "other": 1}},
        {"content": "c", "meta": {"score": 1, "dataframe": 2}}, {"content": "c", "content_type": "text", "id_hash_keys": ["a"], "dataframe": "x"}, {"content": "c", "meta": None},
        {"content": 5}, {"content": ["a"]}, {"content": "z" * 9000}, {"sparse_embedding": {"indices": [1], "values": [1.0, 2.0]}}, {"content": "c", "meta": {"n": 10**25}},
        {"content": "c", "meta": {"list": [{"b": 1, "a": 2}], "n": -0.0}}, {"content": "None"}, {"content": "c", "meta": {"a": "\ud83d\ude00\u007f"}},
    ]:
        yield read(Document, data, **flat)
    for data in [{"data": [1, 2]}, {"data": []}, blob, {"data": list(range(256))}, {"data": [65] * 100}, {"data": [65] * 101}, {"data": [1], "meta": {}, "mime_type": ""}]:
        yield read(ByteStream, data, dict=d)
    for data in [sparse, {"indices": [], "values": []}, {"indices": [1], "values": []}]:
        yield read(SparseEmbedding, data, dict=d)
    doc = Document(content="c", meta={"a": 1}, score=0.5).to_dict(flatten=False)
    msg = ChatMessage.from_assistant("hi", meta={"m": 1}).to_dict()
    for data in [
        {"data": "a", "query": "q", "documents": [], "meta": {}}, {"data": "a", "query": "q"}, {"data": "a", "query": "q", "documents": [doc, Document(content="d", meta={"x": 1}).to_dict()]},
        {"data": "a", "query": "q", "documents": [doc], "meta": {"all_messages": [msg], "k": 1}}, {"data": "a", "query": "q", "meta": {"all_messages": ["x"]}}, {"query": "q"}, {"data": "a"},
        {"type": "haystack.dataclasses.answer.GeneratedAnswer", "init_parameters": {"data": "a", "query": "q", "documents": [doc], "meta": {"all_messages": []}}},
    ]:
        yield read(GeneratedAnswer, data, dict=d)
    for data in [
        {"query": "q", "score": 0.5}, {"query": "q", "score": 0.5, "data": "a", "document": doc, "context": "ctx", "document_offset": {"start": 1, "end": 2},
                                       "context_offset": {"start": 0, "end": 3}, "meta": {"k": [1]}}, {"query": "q"}, {"score": 1.0}, {"query": "q", "score": 1.0, "document_offset": {"start": 1}},
        {"type": "haystack.dataclasses.answer.ExtractedAnswer", "init_parameters": {"query": "q", "score": 0.25, "document": doc}},
    ]:
        yield read(ExtractedAnswer, data, dict=d)


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 30).decode()
PDF = base64.b64encode(b"%PDF-1.4 hello").decode()
LONG = base64.b64encode(b"\xff\xd8\xff" + b"x" * 200).decode()


def heads():
    """First bytes of many kinds of files."""
    sample = {"gif": b"GIF89a", "webp": b"RIFF\0\0\0\0WEBPVP8 ", "wav": b"RIFF\0\0\0\0WAVEfmt ", "avi": b"RIFF\0\0\0\0AVI LIST", "bmp": b"BM\0\0", "tif": b"II*\0\x08\0\0\0\0\0", "cr2": b"II*\0\x10\0\0\0CR",
              "zip": b"PK\x03\x04" + b"\0" * 60, "docx": b"PK\x03\x04" + b"\0" * 26 + b"word/document.xml", "docx2": b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml" + b"\0" * 20 + b"PK\x03\x04" + b"\0" * 26 + b"_rels/.rels" + b"PK\x03\x04" + b"\0" * 26 + b"word/x",
              "xlsx": b"PK\x03\x04" + b"\0" * 26 + b"xl/workbook.xml", "odt": b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text", "epub": b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/epub+zip",
              "mp3": b"ID3\x04", "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "heic": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "avif": b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "m4a": b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42",
              "ogg": b"OggS", "flac": b"fLaC", "gz": b"\x1f\x8b\x08", "bz2": b"BZh9", "7z": b"7z\xbc\xaf\x27\x1c", "rtf": b"{\\rtf1", "ps": b"%!PS", "exe": b"MZ", "elf": b"\x7fELF" + b"\0" * 60, "text": b"hello world", "empty": b"",
              "apng": b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + b"\0" * 17 + b"\0\0\0\x08acTL", "mkv": b"\x1a\x45\xdf\xa3\0\x42\x82\x88matroska", "webm": b"\x1a\x45\xdf\xa3\0\x42\x82\x84webm", "woff": b"wOFF\0\1\0\0", "zst": b"\x28\xb5\x2f\xfd", "xz": b"\xfd7zXZ\0",
              "tar": b"\0" * 257 + b"ustar", "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + b"\xec\xa5\xc1\0", "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + b"\xfd\xff\xff\xff\0\0\0\0\0\0", "sqlite": b"SQLite format 3", "wasm": b"\0asm\1\0\0\0",
              "ico": b"\0\0\1\0", "psd": b"8BPS", "flv": b"FLV\1", "mpg": b"\0\0\1\xba", "mid": b"MThd", "aac": b"\xff\xf1", "html": b"<html>", "bompdf": b"\xef\xbb\xbf%PDF-1.4", "eot": b"\0" * 8 + b"\x02\0\1" + b"\0" * 23 + b"LP"}
    for data in sample.values():
        yield base64.b64encode(data).decode()


def messages():
    d = lambda o: o.to_dict()  # noqa: E731
    forms = {"dict": d, "openai": lambda o: attempt(o.to_openai_dict_format), "openai_lax": lambda o: attempt(lambda: o.to_openai_dict_format(require_tool_call_ids=False))}
    call = {"tool_name": "t", "arguments": {"a": [1, "é"]}, "id": "1", "extra": None}
    result = {"result": "ok", "origin": call, "error": False}
    image = {"base64_image": PNG, "mime_type": "image/png", "detail": None, "meta": {}, "validation": True}
    file = {"base64_data": PDF, "mime_type": "application/pdf", "filename": "f.pdf", "extra": {}, "validation": True}
    contents = [
        [], [{"text": "a"}], [{"text": "a"}, {"text": "b"}], [{"tool_call": call}], [{"text": "a"}, {"tool_call": call}, {"tool_call": {"tool_name": "u", "arguments": {}}}],
        [{"tool_call": {**call, "id": None}}], [{"tool_call_result": result}], [{"tool_call_result": {**result, "origin": {**call, "id": None}}}], [{"tool_call_result": {**result, "result": [{"text": "x"}, {"text": "y"}]}}],
        [{"tool_call_result": {**result, "result": [{"image": image}]}}], [{"tool_call_result": result}, {"text": "x"}], [{"image": image}], [{"text": "see"}, {"image": {**image, "detail": "low"}}],
        [{"image": {"base64_image": PNG}}], [{"image": {"base64_image": "not base64!"}}], [{"image": {"base64_image": PDF, "mime_type": "text/plain"}}], [{"image": {"base64_image": "!!", "validation": False}}],
        [{"image": {"base64_image": LONG}}], [{"image": {"base64_image": "aGVsbG8="}}], [{"file": file}], [{"file": {"base64_data": PDF}}], [{"file": {"base64_data": "aGVsbG8="}}], [{"file": {"base64_data": "aGVsbG8"}}], [{"file": {"base64_data": ""}}],
        [{"reasoning": {"reasoning_text": "r", "extra": {"k": 1}}}, {"text": "a"}], [{"reasoning": {"reasoning_text": "r"}}], call and [{"tool_name": "t", "arguments": {}}], [{"result": "x", "origin": call, "error": True}],
        [{"reasoning_text": "r"}], [{"base64_image": PNG}], [{"base64_data": PDF}], [{"foo": 1}], [{"text": "a", "extra": 1}], [{"tool_call_result": {"result": "x"}}], [{"tool_call": {"tool_name": "t"}}],
        "plain", "", 5, None, {"a": 1},
    ]
    for role in ["user", "system", "assistant", "tool"]:
        for c in contents:
            yield read(ChatMessage, {"role": role, "content": c}, **forms)
    for data in [
        {"role": "user", "content": [{"text": "a"}], "name": "n", "meta": {"k": "v"}}, {"role": "user", "content": "a", "meta": None}, {"_role": "user", "_content": [{"text": "a"}], "_name": None, "_meta": {"x": 1}},
        {"_role": "assistant", "_content": [{"tool_call": call}]}, {"content": "a"}, {"role": "nobody", "content": "a"}, {"role": "user"}, {"role": "assistant", "content": [], "meta": {"refusal": "no"}},
        {"role": "assistant", "content": "a", "meta": {"refusal": "no"}}, {"role": "assistant", "content": [{"tool_call": call}], "meta": {"refusal": "no"}}, {"role": "assistant", "content": [], "meta": {"refusal": ""}},
        {"role": "assistant", "content": [], "meta": {"refusal": 5}}, {"role": "user", "content": "a", "meta": {"refusal": "no"}}, {"role": "assistant", "content": "a", "name": "bot"},
    ]:
        yield read(ChatMessage, data, **forms)
    for head in heads():
        yield read(FileContent, {"base64_data": head}, dict=d)
        yield read(ImageContent, {"base64_image": head}, dict=d)
    for data in [
        {"content": "x"}, {"content": ""}, {}, {"content": "x", "meta": {"a": 1}, "component_info": {"type": "t", "name": "n"}, "index": 0, "start": True, "finish_reason": "stop"},
        {"content": "", "index": 1, "tool_calls": [{"index": 0, "tool_name": "t", "arguments": "{}", "id": "1"}, {"index": 1}]}, {"content": "", "tool_calls": [{"index": 0}]}, {"content": "x", "index": 0, "tool_calls": [{"index": 0}]},
        {"content": "", "index": 0, "tool_call_result": result}, {"content": "", "index": 0, "reasoning": {"reasoning_text": "r"}}, {"content": "x", "index": 0, "reasoning": {"reasoning_text": "r"}}, {"content": "", "component_info": {"type": "t"}},
    ]:
        yield read(StreamingChunk, data, dict=d)
    yield from from_openai()


def from_openai():
    url = "data:image/png;base64," + PNG
    function = {"name": "f", "arguments": '{"a": 1}'}
    big = "data:text/plain," + "x" * 300
    cases = [
        {}, {"role": "x"}, {"role": "user"}, {"role": "user", "content": ""}, {"role": "user", "content": "hi"}, {"role": "user", "content": "hi", "name": "n"}, {"role": "user", "content": 5}, {"role": "user", "content": []},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url, "detail": "low"}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}, {"role": "user", "content": [{"type": "image_url", "image_url": url}]}, {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:;base64," + PNG}}]}, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": big}}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64," + PDF, "filename": "x.pdf"}}]}, {"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]}, {"role": "user", "content": [{"type": "file"}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x" * 500, "format": "wav", "a": 1, "b": 2, "c": 3}}]}, {"role": "user", "content": ["a"]}, {"role": "user", "content": [{"type": "text", "text": 5}]}, {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "x", "l": [1, 2, 3, 4, 5, 6, 7, 8], "n": {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}, "f": 1.5, "i": 10**50}]},
        {"role": "system", "content": "s"}, {"role": "developer", "content": "s"}, {"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"role": "system", "content": [{"type": "refusal", "refusal": "a"}]},
        {"role": "developer", "content": [{"type": "image_url"}]}, {"role": "assistant"}, {"role": "assistant", "content": None}, {"role": "assistant", "content": ""}, {"role": "assistant", "content": []}, {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]}, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "refusal": "no"}, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}, {"type": "refusal", "refusal": "nope"}], "refusal": "no"},
        {"role": "assistant", "refusal": "no"}, {"role": "assistant", "refusal": ""}, {"role": "assistant", "refusal": 5}, {"role": "assistant", "content": "a", "refusal": None}, {"role": "assistant", "content": [{"type": "image_url"}]},
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": function}]}, {"role": "assistant", "content": "x", "tool_calls": [{"function": function}]}, {"role": "assistant", "tool_calls": [{"id": "1"}]},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": ""}}]}, {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": None}}]}, {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {"b": 2}}}]}, {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{bad"}}]}, {"role": "assistant", "tool_calls": []}, {"role": "assistant", "content": "a", "tool_calls": []},
        {"role": "tool", "content": "r", "tool_call_id": "1"}, {"role": "tool", "content": "r"}, {"role": "tool", "content": ""}, {"role": "tool", "content": [{"type": "text", "text": "a"}]}, {"role": "tool", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "a", "name": "n"},
    ]
    for data in cases:
        yield {"class": "openai", "data": data, "want": attempt(lambda: {"repr": repr(m := ChatMessage.from_openai_dict_format(data)), "dict": m.to_dict()})}


def write(path, cases):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as f:
        for c in cases:
            f.write(json.dumps(c, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) / "documents.jsonl", documents())
    write(Path(sys.argv[2]) / "messages.jsonl", messages())
