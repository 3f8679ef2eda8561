"""Writes what HTMLToDocument makes of web pages, one JSON object a line: {"page", "documents"}.

    pip install haystack-ai==3.4.0 trafilatura==2.3.1 lxml_html_clean==0.4.6   (Python 3.11)
    python -W ignore conformance/oracle/html_pages.py conformance/testdata/html.jsonl conformance/testdata/html/*.html

The pages are read as ByteStreams with a file_path, as an upload has it.
"""
import json
import logging
import sys
from pathlib import Path

from haystack.components.converters import HTMLToDocument
from haystack.dataclasses import ByteStream

logging.disable(logging.CRITICAL)


def convert(path):
    data = ByteStream(data=path.read_bytes(), meta={"file_path": path.name}, mime_type="text/html")
    documents = HTMLToDocument().run(sources=[data])["documents"]
    return [{"$type": "Document", **{k: v for k, v in d.to_dict(flatten=False).items() if v is not None}} for d in documents]


def main(out, pages):
    with open(out, "w", encoding="utf-8") as f:
        for page in sorted(Path(p) for p in pages):
            f.write(json.dumps({"page": page.name, "documents": convert(page)}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
