"""Prints the JSON of what Pipeline.run returns for the last of several pipeline files, run one after the other.

    OPENAI_API_KEY=... python -W ignore conformance/oracle/run_files.py inputs.json FILE.yml [FILE.yml...]

Document stores of one index are shared, as in any Python process. inputs.json holds the files' declared inputs by name:
each file takes those it declares, spread over the sockets that its top-level "inputs:" names. With --load alone in the
place of inputs.json the files are only loaded.
"""
import json
import logging
import sys

import yaml
from haystack import Pipeline

logging.disable(logging.CRITICAL)


def spread(source, given):
    """Haystack's own form of inputs that are given by the names which the file declares."""
    data = {}
    for name, sockets in (yaml.safe_load(source).get("inputs") or {}).items():
        if name in given:
            for socket in [sockets] if isinstance(sockets, str) else sockets:
                component, _, field = socket.partition(".")
                data.setdefault(component, {})[field] = given[name]
    return data


def plain(o):
    return o.to_dict() if hasattr(o, "to_dict") else str(o)


def main(inputs, files):
    result = None
    given = None if inputs == "--load" else json.load(open(inputs, encoding="utf-8"))
    for name in files:
        source = open(name, encoding="utf-8").read()
        pipeline = Pipeline.loads(source)
        result = sorted(pipeline.graph.nodes) if given is None else pipeline.run(spread(source, given))
    print(json.dumps(result, default=plain))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
