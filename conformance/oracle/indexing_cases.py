"""Writes conformance/testdata/indexing.jsonl: what Haystack indexes from plain text, and what BM25 finds in it.

    pip install haystack-ai==3.4.0   (Python 3.11)
    python -W ignore conformance/oracle/indexing_cases.py conformance/testdata/indexing.jsonl [seed cases]

Each line is one store: the YAML of the pipeline that fills it (TextFileToDocument, DocumentCleaner, DocumentSplitter,
DocumentWriter), the ByteStreams, what the store holds afterwards in its order, the YAML of a retriever on it, and
queries with the positions and scores of what came back. An error is {"class", "message"}. Another seed is a differential
fuzz: the test with the Python part does that.
"""
import base64
import json
import logging
import random
import sys

import yaml
from haystack import Pipeline
from haystack.dataclasses import ByteStream, Document
from haystack.document_stores.in_memory import InMemoryDocumentStore

logging.disable(logging.CRITICAL)

WORDS = {
    "en": "the goroutine a channel blocks until receive of buffer is full Go memory model happens before and release lock unlock don't e-mail x1 U.S. 3.14 foo_bar".split(),
    "de": "Straße Größe über Fähre weiß Öl daß Äpfel naïve café résumé".split(),
    "ru": "канал блокирует память порядок событий ёлка".split(),
    "zh": "通道 阻塞 直到 缓冲区 满 内存模型 先行发生 语言规范。".split(),
    "ja": "チャネル は ブロック する メモリ モデル です。 ガガ".split(),
    "ko": "채널은 메모리 모델 차단 됩니다".split(),
    "odd": "İstanbul ﬁne ΑΣ Ǆungla e\u0301 \u00b2 ½ ٣ 😀 👩‍💻 a\u200bb \ufeffq #tag @x ... -- <b> \u1100\u1161 ａｂｃ".split(" "),
}
SPACES = [" "] * 12 + ["\n", "\n", "  ", "\t", "\n\n", "\n\n\n", "\f", "\r\n", "\u00a0", "\u3000", " \n ", "\u2028", "\x1c", "\x85", "\v", "\f\f", ". ", ".", "\n\n \n\n"]

FIXED = ["", " ", "\n", "\f", "\f\f\f", "one", "one.", ".", "...", "a b c d e f g h i j", "page one\fpage two\fpage three", "\fstarts with a page\f",
         "first passage\n\nsecond passage\n\n\n\nfourth", "line 1\nline 2\r\nline 3\rline 4", "no separator at all" * 3, "  leading and trailing  ",
         "Header\nbody of one\nFooter\fHeader\nbody of two\nFooter\fHeader\nbody of three\nFooter", "é" * 50, "日本語の文章です。句点で終わる。", "tab\tseparated\tvalues",
         "A sentence. Another sentence. And a third one", "x\x00y z", "mixed\u00a0spaces\u2003here \u3000there"]


def random_text(rng):
    langs = rng.choices(list(WORDS), weights=[8, 2, 2, 3, 2, 2, 2], k=rng.randint(1, 3))
    words = sum((WORDS[lang] for lang in langs), [])
    out = []
    for _ in range(rng.choice([0, 1, 3, 10, 30, 80, 200])):
        out += [rng.choice(words), rng.choice(SPACES)]
    text = "".join(out)
    if rng.random() < 0.2:
        text = "\f".join(f"Chapter {rng.randint(1, 2)}\n{t}\nconfidential draft" for t in text.split("\f"))
    return text


def stream(rng, text):
    """A ByteStream: its bytes, its meta, its type."""
    meta, encoding = {}, "utf-8"
    if rng.random() < 0.5:
        meta["name"] = rng.choice(["a", "b", "ü"])
    if rng.random() < 0.3:
        meta["n"] = rng.choice([0, 1, 2.5, True, None, "1"])
    if rng.random() < 0.2:
        meta["file_path"] = rng.choice(["/tmp/dir/file.txt", "file.txt", "C:\\x\\y.txt", "a/b/"])
    roll = rng.random()
    if roll < 0.06:
        encoding = meta["encoding"] = rng.choice(["latin-1", "utf-16", "cp1252", "ascii", "utf-8"])
    data = text.encode(encoding, "replace")
    if 0.06 <= roll < 0.1:
        data = b"\xef\xbb\xbf" + data
    elif 0.1 <= roll < 0.12:
        data += b"\xff\xfe"
    return {"data": base64.b64encode(data).decode(), "meta": meta, "mime_type": rng.choice(["text/plain", "text/plain", None])}


def cleaner(rng):
    p = {"remove_empty_lines": rng.random() < 0.7, "remove_extra_whitespaces": rng.random() < 0.7}
    for name, chance, pick in [
        ("remove_repeated_substrings", 0.2, lambda: True), ("keep_id", 0.15, lambda: True), ("strip_whitespaces", 0.2, lambda: True),
        ("remove_substrings", 0.2, lambda: rng.choice([["the"], ["a", "b"], ["confidential draft"], [""], []])),
        ("remove_regex", 0.2, lambda: rng.choice([r"\d+", r"\s\s+", r"Chapter \d", r"[aeiou]", r"\bthe\b"])),
        ("unicode_normalization", 0.2, lambda: rng.choice(["NFC", "NFKC", "NFD", "NFKD"])), ("ascii_only", 0.08, lambda: True),
        ("replace_regexes", 0.15, lambda: rng.choice([{r"(\w+)-(\w+)": r"\2-\1"}, {r"\s+": " "}, {"o": "0", "0": "q"}])),
        ("min_content_length", 0.1, lambda: rng.choice([1, 5, 20])),
    ]:
        if rng.random() < chance:
            p[name] = pick()
    return p


def splitter(rng):
    by = rng.choice(["word", "word", "word", "passage", "line", "page", "period"])
    length = rng.choice([1, 2, 3, 5, 10, 40] if by == "word" else [1, 1, 2, 3])
    p = {"split_by": by, "split_length": length, "split_overlap": rng.choice([0, 0, rng.randint(0, length - 1)]),
         "split_threshold": rng.choice([0, 0, 0, rng.randint(0, length)])}
    if rng.random() < 0.2:
        p["skip_empty_documents"] = False
    return p


def store(rng, index):
    p = {"index": index, "bm25_algorithm": rng.choice(["BM25Okapi", "BM25L", "BM25Plus"])}
    if rng.random() < 0.2:
        p["bm25_tokenization_regex"] = rng.choice([r"(?u)\b\w+\b", r"\S+", r"[a-z]+"])
    if rng.random() < 0.2:
        # With b 1, Haystack divides by zero for a document without a word.
        p["bm25_parameters"] = rng.choice([{"k1": 1.2}, {"b": 0.5}, {"k1": 2.0, "b": 0.95}])
    return {"type": "haystack.document_stores.in_memory.document_store.InMemoryDocumentStore", "init_parameters": p}


def index_yaml(rng, st):
    typ = "haystack.components."
    return yaml.safe_dump({
        "components": {
            "converter": {"type": typ + "converters.txt.TextFileToDocument", "init_parameters": {"store_full_path": True} if rng.random() < 0.2 else {}},
            "cleaner": {"type": typ + "preprocessors.document_cleaner.DocumentCleaner", "init_parameters": cleaner(rng)},
            "splitter": {"type": typ + "preprocessors.document_splitter.DocumentSplitter", "init_parameters": splitter(rng)},
            "writer": {"type": typ + "writers.document_writer.DocumentWriter",
                       "init_parameters": {"policy": rng.choice(["OVERWRITE", "OVERWRITE", "SKIP", "SKIP", "NONE"]), "document_store": st}}},
        "connections": [{"sender": "converter.documents", "receiver": "cleaner.documents"}, {"sender": "cleaner.documents", "receiver": "splitter.documents"},
                        {"sender": "splitter.documents", "receiver": "writer.documents"}]}, sort_keys=False, allow_unicode=True)


def retriever_yaml(rng, st):
    return yaml.safe_dump({"components": {"retriever": {
        "type": "haystack.components.retrievers.in_memory.bm25_retriever.InMemoryBM25Retriever",
        "init_parameters": {"document_store": st, "top_k": rng.choice([1, 3, 10])}}}, "connections": []}, sort_keys=False, allow_unicode=True)


def condition(rng):
    field = rng.choice(["meta.name", "meta.page_number", "meta.split_id", "meta.n", "content", "meta.none"])
    if field in ("meta.page_number", "meta.split_id"):
        return {"field": field, "operator": rng.choice(["==", "!=", ">", ">=", "<", "<="]), "value": rng.randint(0, 3)}
    if rng.random() < 0.5:
        return {"field": field, "operator": rng.choice(["in", "not in"]), "value": rng.choice([["a", "b"], [1, None], [2.5, "ü"]])}
    return {"field": field, "operator": rng.choice(["==", "!="]), "value": rng.choice(["a", "ü", 1, True, None])}


def query(rng, texts):
    words = " ".join(texts).split() or ["nothing"]
    text = " ".join(rng.choice(words) for _ in range(rng.choice([1, 1, 2, 3, 8])))
    text = rng.choice([text] * 8 + [text.upper(), text[: rng.randint(0, 4)], "通道", "메모리 the", "!!!", "the the the", ""])
    q = {"query": text}
    if rng.random() < 0.4:
        q["top_k"] = rng.choice([1, 2, 5, 100])
    if rng.random() < 0.4:
        q["scale_score"] = rng.random() < 0.8
    if rng.random() < 0.2:
        q["filters"] = rng.choice([condition(rng), {"operator": rng.choice(["AND", "OR", "NOT"]), "conditions": [condition(rng), condition(rng)]}])
    return q


def notation(v):
    """A value as the recorded vectors write it."""
    if isinstance(v, Document):
        return {"$type": "Document", **{k: notation(x) for k, x in v.to_dict(flatten=False).items() if x is not None}}
    if isinstance(v, tuple):
        return {"$tuple": [notation(x) for x in v]}
    if isinstance(v, list):
        return [notation(x) for x in v]
    return {k: notation(x) for k, x in v.items()} if isinstance(v, dict) else v


def attempt(fn):
    try:
        return fn()
    except Exception as e:  # noqa: BLE001
        return {"error": {"class": type(e).__name__, "message": str(e)}}


def case(rng, number, texts, queries):
    index = f"conformance-{number}"
    st = store(rng, index)
    out = {"name": f"{number}", "index": index_yaml(rng, st), "retriever": retriever_yaml(rng, st), "streams": [stream(rng, t) for t in texts]}
    streams = [ByteStream(data=base64.b64decode(s["data"]), meta=dict(s["meta"]), mime_type=s["mime_type"]) for s in out["streams"]]
    out["result"] = attempt(lambda: Pipeline.loads(out["index"]).run({"converter": {"sources": streams}}))
    held = InMemoryDocumentStore(**st["init_parameters"]).filter_documents()
    at = {d.id: i for i, d in enumerate(held)}
    out["documents"] = [notation(d) for d in held]
    retriever = Pipeline.loads(out["retriever"])

    def find(q):
        return {"found": [[at[d.id], d.score] for d in retriever.run({"retriever": dict(q)})["retriever"]["documents"]]}
    out["queries"] = [{"inputs": q, **attempt(lambda q=q: find(q))} for q in (query(rng, texts) for _ in range(queries))]
    InMemoryDocumentStore(**st["init_parameters"]).delete_documents(list(at))
    return out


def main(path, seed=20260101, count=100):
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as f:
        for number in range(count):
            texts = [rng.choice(FIXED) if rng.random() < 0.4 else random_text(rng) for _ in range(rng.choice([1, 2, 5, 9]))]
            f.write(json.dumps(case(rng, number, texts, 12), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], *(int(a) for a in sys.argv[2:]))
