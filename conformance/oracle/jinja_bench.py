"""Times the prompt of pipeline/jinja/bench_test.go in Jinja2, to compare with go test -bench RAGPrompt.

    python conformance/oracle/jinja_bench.py
"""

import pathlib
import re
import timeit

from jinja2.sandbox import SandboxedEnvironment

source = (pathlib.Path(__file__).parents[2] / "pipeline/jinja/bench_test.go").read_text()
template = SandboxedEnvironment().from_string(re.search(r"const ragPrompt = `(.*?)`", source, re.S).group(1))
docs = [{"content": "Joe lives in Berlin. " * 20, "meta": {"source": f"file-{i}.txt", "page": i}} for i in range(10)]
best = min(timeit.repeat(lambda: template.render(documents=docs, query="Where does Joe live?"), number=2000, repeat=7))
print(f"{best / 2000 * 1e6:.1f} us")
