"""Writes pipeline/testdata/schedule.jsonl: random pipelines, connected and run by Haystack.

    pip install haystack-ai==3.4.0   (Python 3.11)
    python conformance/oracle/schedule_cases.py pipeline/testdata/schedule.jsonl [seed cases]

Each line is one pipeline: its scripted components (what each produces on its n-th visit), the connections as they were
asked for with the error each gave, the order that breaks ties, and one run: inputs, the inputs of every visit, outputs,
error, and whether Haystack warned that the pipeline looks blocked.
"""

import json
import logging
import random
import sys
from typing import Any

from haystack import Pipeline, component
from haystack.core.component.types import GreedyVariadic, Variadic

TYPES = {"int": int, "str": str, "list[int]": list[int], "list[int] | None": list[int] | None, "typing.Any": Any, "list[str]": list[str]}
INPUTS = ["int", "int", "int", "list[int]", "list[int]", "list[int] | None", "typing.Any", "str", "list[str]"]
OUTPUTS = ["int", "int", "int", "list[int]", "list[int]", "str", "list[str]"]
calls = []


@component
class Scripted:
    def __init__(self, name, spec):
        self.name, self.spec, self.visit = name, spec, 0
        for i in spec["inputs"]:
            kind = {"single": lambda t: t, "lazy": lambda t: Variadic[t], "greedy": lambda t: GreedyVariadic[t]}[i["variadic"]](TYPES[i["type"]])
            if "default" in i:
                component.set_input_type(self, i["name"], kind, i["default"])
            else:
                component.set_input_type(self, i["name"], kind)
        component.set_output_types(self, **{o["name"]: TYPES[o["type"]] for o in spec["outputs"]})

    def run(self, **kwargs):
        self.visit += 1
        if len(calls) > 300:
            raise KeyboardInterrupt  # waiting components whose run count is never checked: some loops never end in Haystack
        calls.append({"component": self.name, "visit": self.visit, "inputs": kwargs})
        script = self.spec["script"]
        entry = script[min(self.visit, len(script)) - 1]
        if entry == "fail":
            raise ValueError(f"{self.name} fails on visit {self.visit}")
        number = self.visit * 10 + len(self.name)
        make = {"int": number, "str": f"{self.name}{self.visit}", "list[int]": [number], "list[str]": [f"{self.name}{self.visit}"]}
        return {o["name"]: make[o["type"]] for o in self.spec["outputs"] if o["name"] in entry}


def spec_of(r, plain):
    inputs = []
    input_types, output_types = (["int", "int", "list[int]"], ["int", "int", "list[int]"]) if plain else (INPUTS, OUTPUTS)
    for k in range(r.choice([0, 1, 1, 1, 2, 2, 3])):
        i = {"name": r.choice(["value", "other", "a", "b.c"]) + (str(k) if k else ""), "type": r.choice(input_types),
             "variadic": r.choice(["single"] * 3 + ["lazy", "greedy"])}
        if r.random() < 0.4:
            i["default"] = r.choice([None, 5, []])
        inputs.append(i)
    outputs = [{"name": n, "type": r.choice(output_types)} for n in r.sample(["value", "other", "x", "y"], r.choice([1, 1, 2, 2, 3]))]
    script = []
    for _ in range(3):
        script.append("fail" if r.random() < 0.02 else [o["name"] for o in outputs if r.random() < 0.75])
    return {"inputs": inputs, "outputs": outputs, "script": script}


def good_pair(r, pipe, names, specs):
    """A pair of sockets that will mostly connect."""
    for _ in range(20):
        s, t = r.choice(names), r.choice(names)
        if s == t or not specs[t]["inputs"]:
            continue
        o, i = r.choice(specs[s]["outputs"]), r.choice(specs[t]["inputs"])
        socket = pipe.graph.nodes[t]["input_sockets"][i["name"]]
        if o["type"] == i["type"] and (not socket.senders or socket.is_variadic or i["type"].startswith("list")):
            return s + "." + o["name"], t + "." + i["name"]
    return None


def pick(r, names, specs, side):
    name = r.choice(names)
    sockets = specs.get(name, {"inputs": [], "outputs": []})[side]
    if r.random() < 0.05 or not sockets:
        return name if r.random() < 0.6 else name + ".nope"
    return name + "." + r.choice(sockets)["name"]


def inputs_of(r, pipe, names, specs):
    if r.random() < 0.2:
        sockets = [i["name"] for n in names for i in specs[n]["inputs"]]
        return {r.choice(sockets or ["value"]): r.choice([1, "x", [1]]) for _ in range(2)}
    data = {}
    for n in names:
        for i in specs[n]["inputs"]:
            taken = pipe.graph.nodes[n]["input_sockets"][i["name"]].senders
            if r.random() < (0.08 if taken else 0.5):
                value = {"int": 1, "str": "u", "list[int]": [7], "list[int] | None": [8], "typing.Any": 9, "list[str]": ["w"]}[i["type"]]
                data.setdefault(n, {})[i["name"]] = value
    if r.random() < 0.03:
        data["ghost"] = {"value": 1}
    if r.random() < 0.03 and names:
        data.setdefault(names[0], {})["ghost"] = 1
    return data


class Blocked(logging.Handler):
    hit = False

    def emit(self, record):
        if "appears to be blocked" in record.getMessage():
            Blocked.hit = True


def mandatory(pipe, data):
    """Fills in what a run would refuse to start without, mostly."""
    for n, sockets in pipe.inputs().items():
        for s, info in sockets.items():
            if info["is_mandatory"]:
                data.setdefault(n, {}).setdefault(s, 3 if info["type"] is int else [3])


def case(seed):
    r = random.Random(seed)
    count = r.choice([1, 2, 3, 4, 5, 6, 8, 10])
    names = r.sample(["a", "b", "B", "c", "D", "e", "loop", "Zed", "é", "j1", "j10", "j2", "x_y", "Ä", "m", "n"], count)
    plain = r.random() < 0.7
    specs = {n: spec_of(r, plain) for n in names}
    pipe = Pipeline(max_runs_per_component=r.choice([1, 2, 3, 5]), connection_type_validation=r.random() < 0.9)
    for n in names:
        pipe.add_component(n, Scripted(n, specs[n]))
    asked = []
    for _ in range(r.randint(0, 3 * count)):
        sender, receiver = pick(r, names + ["ghost"] if r.random() < 0.03 else names, specs, "outputs"), pick(r, names, specs, "inputs")
        if r.random() < 0.85:
            sender, receiver = good_pair(r, pipe, names, specs) or (sender, receiver)
        entry = {"sender": sender, "receiver": receiver}
        try:
            pipe.connect(sender, receiver)
        except Exception as e:
            entry["error"] = {"class": type(e).__name__, "message": str(e)}
        asked.append(entry)
    edges = [[f"{s}.{d['from_socket'].name}", f"{t}.{d['to_socket'].name}"] for s, t, d in pipe.graph.edges(data=True)]
    out = {"seed": seed, "max_runs": pipe._max_runs_per_component, "validation": pipe._connection_type_validation,
           "components": [{"name": n, **specs[n]} for n in names], "connect": asked, "edges": edges, "order": pipe._topological_sort()}
    out["inputs"] = inputs_of(r, pipe, names, specs)
    if r.random() < 0.95 and all(isinstance(v, dict) for v in out["inputs"].values()):
        mandatory(pipe, out["inputs"])
    include = {n for n in names if r.random() < 0.1}
    out["include"] = sorted(include)
    calls.clear()
    Blocked.hit = False
    try:
        out["outputs"] = pipe.run(json.loads(json.dumps(out["inputs"])), include_outputs_from=include)
    except (IndexError, KeyboardInterrupt):  # the blocked warning of a pipeline of one component trips over itself, some loops never end
        return None
    except Exception as e:
        out["error"] = {"class": type(e).__name__, "message": str(e)}
    out["calls"] = list(calls)
    out["blocked"] = Blocked.hit
    return out


def main():
    path, seed, count = sys.argv[1], int((sys.argv[2:] or ["1"])[0]), int((sys.argv[3:] or ["600"])[0])
    logging.getLogger("haystack").addHandler(Blocked())
    with open(path, "w", encoding="utf-8") as f:
        written = 0
        while written < count:
            line = case(seed)
            seed += 1
            if line is not None:
                f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
                written += 1


if __name__ == "__main__":
    main()
