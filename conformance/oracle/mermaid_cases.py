"""Writes what Haystack's own drawing sends to a Mermaid server, for each pipeline file named.

mermaid_cases.py FILE.yml ... -> FILE.mmd beside each
"""

import json
import pathlib
import sys

from haystack import Pipeline
from haystack.core.pipeline.draw import _to_mermaid_text

for name in sys.argv[1:]:
    path = pathlib.Path(name)
    pipeline = Pipeline.loads(path.read_text(encoding="utf-8"))
    path.with_suffix(".mmd").write_text(_to_mermaid_text(pipeline.graph, json.dumps({"theme": "neutral"})), encoding="utf-8")
