"""Writes what Haystack makes of the files in conformance/yaml: {case name: result of the last file}.

    python -W ignore conformance/oracle/yaml_kinds_cases.py conformance/yaml OUT.json GENERATION

GENERATION 3 takes the cases for haystack-ai 3.4.0, 2 those for 2.31.0 (requirements-2.txt). The model is one that says what
it was told last, on a port of its own; see Echo.
"""

import http.server
import json
import logging
import os
import pathlib
import re
import sys
import threading

import yaml
from haystack import Document, Pipeline

logging.disable(logging.CRITICAL)
MODEL = "http://127.0.0.1:11435/v1"


class Echo(http.server.BaseHTTPRequestHandler):
    """conformance/yaml_kinds_test.go has the same one."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = "You said: " + asked["messages"][-1]["content"]
        answer = {
            "id": "echo", "object": "chat.completion", "created": 1, "model": asked["model"],
            "choices": [
                {"index": i, "finish_reason": "stop", "message": {"role": "assistant", "content": text + "!" * i}}
                for i in range(asked.get("n", 1))
            ],
            "usage": {"prompt_tokens": len(asked["messages"]), "completion_tokens": len(text), "total_tokens": len(asked["messages"]) + len(text)},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def spread(source, given):
    """Inputs by declared name, or by component."""
    declared = yaml.safe_load(source).get("inputs") or {}
    data = {}
    for name, v in given.items():
        if name not in declared:
            data[name] = {k: [Document.from_dict(d) for d in x] if k == "documents" else x for k, x in v.items()}
            continue
        for socket in [declared[name]] if isinstance(declared[name], str) else declared[name]:
            component, _, field = socket.partition(".")
            data.setdefault(component, {})[field] = v
    return data


def plain(o):
    return o.to_dict() if hasattr(o, "to_dict") else str(o)


def without_openai_details(o):
    """The openai package adds what a server left out of its usage; which keys, its versions differ on."""
    if isinstance(o, dict):
        return {k: without_openai_details(v) for k, v in o.items() if k not in ("completion_tokens_details", "prompt_tokens_details")}
    if isinstance(o, list):
        return [without_openai_details(v) for v in o]
    return o


def main(folder, out, generation):
    os.environ["OPENAI_API_KEY"] = "sk-echo"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    out = pathlib.Path(out).resolve()
    os.chdir(folder)
    results = {}
    for case in yaml.safe_load(open("cases.yml", encoding="utf-8")):
        if case.get("refused") or case.get("generation", 3) != generation:
            continue
        for name, given in zip(case["files"], case["inputs"]):
            source = open(name, encoding="utf-8").read().replace(MODEL, f"http://127.0.0.1:{server.server_port}/v1")
            result = Pipeline.loads(source).run(spread(source, given))
        results[case["name"]] = without_openai_details(json.loads(json.dumps(result, default=plain)))
    out.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
