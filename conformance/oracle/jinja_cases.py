"""Makes pipeline/jinja/testdata/cases.json: templates and what Jinja2 3.1.6's sandbox makes of them.

    python conformance/oracle/jinja_cases.py > pipeline/jinja/testdata/cases.json

needs jinja2==3.1.6 and markupsafe==3.0.x. Every case runs twice; one whose result differs is left out. Values that JSON
does not have are written as {"$tuple": [...]}, {"$set": [...]}, {"$bytes": [...]}.
"""

import json
import sys

import jinja2
from jinja2 import ChainableUndefined, DebugUndefined, StrictUndefined, TemplateError, Undefined, meta, pass_context
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

from jinja_templates import CASES, CONTEXTS

KINDS = {"default": Undefined, "strict": StrictUndefined, "chainable": ChainableUndefined, "debug": DebugUndefined}


def decode(v):
    if isinstance(v, dict):
        if "$tuple" in v:
            return tuple(decode(x) for x in v["$tuple"])
        if "$set" in v:
            return {decode(x) for x in v["$set"]}
        if "$bytes" in v:
            return bytes(v["$bytes"])
        return {k: decode(x) for k, x in v.items()}
    if isinstance(v, list):
        return [decode(x) for x in v]
    return v


def failure(e):
    message = e.message if isinstance(e, TemplateError) else str(e)
    return {"class": type(e).__name__, "message": message, "line": getattr(e, "lineno", None)}


@pass_context
def as_is(context, value):
    """A finalize that Jinja cannot call before the template runs."""
    return value


def run(case, folding=True):
    opts = case.get("opts", {})
    env = SandboxedEnvironment(
        undefined=KINDS[opts.get("undefined", "default")],
        trim_blocks=opts.get("trim", False),
        lstrip_blocks=opts.get("lstrip", False),
        keep_trailing_newline=opts.get("keep", False),
        autoescape=opts.get("autoescape", False),
        **({} if folding else {"optimized": False, "finalize": as_is}),
    )
    out = {}
    ctx = decode(CONTEXTS[case.get("ctx", "main")])
    try:
        out["undeclared"] = sorted(meta.find_undeclared_variables(env.parse(case["tpl"])))
    except Exception:
        pass
    try:
        out["out"] = env.from_string(case["tpl"]).render(ctx)
    except Exception as e:
        out["err"] = failure(e)
    if case.get("native"):
        native = NativeEnvironment(undefined=KINDS[opts.get("undefined", "default")])
        out["native"] = repr(native.from_string(case["tpl"]).render(ctx))
    return out


def main():
    assert jinja2.__version__ == "3.1.6", jinja2.__version__
    results = []
    for i, case in enumerate(CASES):
        if isinstance(case, str):
            case = {"tpl": case}
        first, second = run(case), run(case)
        if first != second or " at 0x" in json.dumps(first):
            print("left out:", case["tpl"], first, file=sys.stderr)
            continue
        results.append({**case, **first})
    json.dump({"contexts": CONTEXTS, "cases": results}, sys.stdout, indent=None, separators=(",", ":"), ensure_ascii=True)
    print()
    print(len(results), "cases", file=sys.stderr)


if __name__ == "__main__":
    main()
