"""Writes pipeline/testdata/snapshots.jsonl: the runs of schedule.jsonl, stopped by Haystack before one of their visits and resumed.

    python conformance/oracle/snapshot_cases.py pipeline/testdata/schedule.jsonl pipeline/testdata/snapshots.jsonl

Each line has the seed of its case, where it stopped, the snapshot as JSON, and what the resumed run did: the inputs of its
visits, outputs or error. A case that fails by itself has the snapshot that Haystack attaches to the failure.
"""

import json
import sys

import schedule_cases as schedule
from haystack import Pipeline
from haystack.core.errors import BreakpointException, PipelineRuntimeError
from haystack.dataclasses.breakpoints import Breakpoint, PipelineSnapshot


def build(line):
    pipe = Pipeline(max_runs_per_component=line["max_runs"], connection_type_validation=line["validation"])
    for spec in line["components"]:
        pipe.add_component(spec["name"], schedule.Scripted(spec["name"], spec))
    for c in line["connect"]:
        if "error" not in c:
            pipe.connect(c["sender"], c["receiver"])
    return pipe


def plain(snapshot):
    out = json.loads(json.dumps(snapshot.to_dict()))
    out["timestamp"] = None
    out["break_point"]["snapshot_file_path"] = None
    out["include_outputs_from"].sort()
    return out


def failed(line):
    try:
        build(line).run(json.loads(json.dumps(line["inputs"])), include_outputs_from=set(line["include"]))
    except PipelineRuntimeError as e:
        if getattr(e, "pipeline_snapshot", None) is None:
            return None
        return {"seed": line["seed"], "failed": True, "snapshot": plain(e.pipeline_snapshot)}
    return None


def stopped(line):
    call = line["calls"][line["seed"] * 7 % len(line["calls"])]
    pipe = build(line)
    out = {"seed": line["seed"], "component": call["component"], "visit": call["visit"] - 1}
    try:
        pipe.run(json.loads(json.dumps(line["inputs"])), include_outputs_from=set(line["include"]),
                 break_point=Breakpoint(call["component"], call["visit"] - 1))
        raise SystemExit(f"case {line['seed']} does not stop")
    except BreakpointException as e:
        out["message"], out["snapshot"] = str(e), plain(e.pipeline_snapshot)
    schedule.calls.clear()
    try:
        out["outputs"] = pipe.run(data={}, pipeline_snapshot=PipelineSnapshot.from_dict(json.loads(json.dumps(out["snapshot"]))))
    except (IndexError, KeyboardInterrupt):
        return None
    except Exception as e:
        out["error"] = {"class": type(e).__name__, "message": str(e)}
    out["calls"] = list(schedule.calls)
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as f, open(sys.argv[2], "w", encoding="utf-8") as to:
        for text in f:
            line = json.loads(text)
            if not line["calls"] or not isinstance(line["inputs"], dict):
                continue
            schedule.calls.clear()
            runtime = line.get("error", {}).get("class") == "PipelineRuntimeError"
            case = failed(line) if runtime else stopped(line)
            if case is not None:
                to.write(json.dumps(case, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
