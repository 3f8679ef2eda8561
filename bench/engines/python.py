"""Answers lines "what count" with nanoseconds per operation, for the benchmark beside it."""

import logging
import sys
import time

from haystack import Pipeline, component
from haystack.utils.jinja2_sandbox import HaystackSandboxedEnvironment

logging.disable(logging.CRITICAL)


@component
class NoOp:
    @component.output_types(value=int)
    def run(self, value: int):
        return {"value": value}


def chain(n):
    p = Pipeline()
    for i in range(n):
        p.add_component(f"node{i:04d}", NoOp())
        if i:
            p.connect(f"node{i - 1:04d}.value", f"node{i:04d}.value")
    return p


source = open(sys.argv[1], encoding="utf-8").read()
template = HaystackSandboxedEnvironment().from_string(open(sys.argv[2], encoding="utf-8").read())
docs = [{"content": "Joe lives in Berlin. " * 20, "meta": {"source": f"file-{i}.txt", "page": i}} for i in range(10)]
chains = {n: chain(n) for n in (2, 10, 50)}
work = {f"nodes {n}": (lambda p=p: p.run({"node0000": {"value": 1}})) for n, p in chains.items()}
work["prompt"] = lambda: template.render(documents=docs, query="Where does Joe live?")
work["load"] = lambda: Pipeline.loads(source)
print("ready", flush=True)
for line in sys.stdin:
    what, _, count = line.strip().rpartition(" ")
    do, n = work[what], int(count)
    begin = time.perf_counter_ns()
    for _ in range(n):
        do()
    print((time.perf_counter_ns() - begin) / n, flush=True)
