"""Makes pipeline/jinja/testdata/calls.json.gz: calls of every filter, test and method with odd arguments, and what Jinja2 makes
of them:

    python conformance/oracle/jinja_calls.py | gzip -9n > pipeline/jinja/testdata/calls.json.gz

The cases are a table, not drawn at random: each filter and test with too many, too few and misnamed arguments and with values
of the wrong type, each method of Python's types likewise, pairs of pieces of str.format and of % formats, encodings by
their names with each error mode, uses of the objects that templates make themselves, and the private names of each kind of
value, which the sandbox hides. Jinja's constant folding, which has rules of its own, is off.
"""

import json
import sys
import types

from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext, Undefined
from jinja2.tests import TESTS
from jinja2.utils import Cycler
from markupsafe import Markup

from jinja_cases import KINDS, run
from jinja_fuzz import EXTRA, stable
from jinja_templates import CONTEXTS

# What filters and tests are applied to, and given.
INPUTS = ["'a b'", "[3, 1]", "d", "5", "2.5", "x", "none", "'b'.encode()", "('<'|escape)", "true", "(1, 2)", "range(3)"]
FILTER_ARGS = ["", "1,2,3,4,5,6,7,8,9", "nope=1", "s=1", "value=1", "environment=1", "eval_ctx=1", "context=1", "'b'", "1", "1.5", "none", "x", "[1]",
               "1,2", "'b','c'", "1,2,3", "x,x", "0,0,0,0", "none,none,none", "-1", "true,true"]
TEST_ARGS = ["", "1,2,3", "nope=1", "value=1", "env=1", "'b'", "1,2", "1", "x", "none"]

VALUES = {"'Ab c,D'": str, "'Ab c'.encode()": bytes, "[3,1,2]": list, "{'a':1,'b':2}": dict, "5": int, "2.5": float, "(1,2,1)": tuple,
          "true": bool, "range(3)": range, "(d.keys())": type({}.keys()), "'a,b'|escape": Markup}
METHOD_ARGS = ["", "1", "'b'", "'b','c'", "'b','c',1", "1,2", "none", "nope=1", "'b'.encode()", "'b'.encode(), 'c'.encode()", "[1]",
               "'a', 1, 2, 3", "key=1", "('a','b')", "4, '*'", "{'a':2}", "-1", "1.5", "x"]

FIELDS = ["{", "}", "{}", "{{", "}}", "{0}", "{a}", "{a.b}", "{a[b]}", "{!r}", "{!", "{!x", "{!r:", "{a!s:>4}", "{:{}}", "{:{", "{[", "{[a}",
          "{[a]b}", "{a[}]}", ":", "!", "{:>5}", "{0!r}x", "{1", "%(a)s"]
PERCENTS = ["%s", "%d", "%(a)s", "%(a", "%(a(b)c)s", "%", "%5", "%.3", "%*d", "%-*s", "%y", "%c", "%r", "%x", "%ld", "%lld", "%#x", "% d", "%+d",
            "%05.1f", "%%", "%5%", "%é", "%(a)d", "%(", "%g"]
OPERANDS = ["()", "1", "'s'", "(1,2)", "[1]", "{'a':1}", "{}", "x", "(1,x)", "(x,1)", "(docs, x)", "none", "2.5", "true", "'s'|escape",
            "'s'.encode()", "range(2)"]

# Encodings that are not there: those of more than one byte that are not Unicode's, and what is made of names on the internet.
ENCODINGS = ["utf-8", "UTF8", "utf_8", "u8", "utf", "u\\ntf-8", "ascii", "us-ascii", "ascii%}", "646", "latin-1", "l1", "iso-8859-1", "iso8859 1",
             "cp819", "8859", "utf 8", " utf-8", "utf-8 ", "utf--8", "utf-16", "utf-32", "utf-16-le", "utf-32-be", "cp1252", "utf-8-sig",
             "rot13", "hex", "base64", "unicode_escape", "raw_unicode_escape", "mbcs", "", "é", "utf-8é", "koi8-r", "iso-8859-15", "cp037", "mac_arabic"]
MODES = ["", "strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace", "namereplace", "surrogateescape", "nope"]

# Values that templates alone make, with what stands around them, and what is done with each.
BLOCK, LOOP, CYCLER = "{% block b %}<x>{% endblock %}", "{% for q in nums[:2] %}", "{% set c = cycler('a', 'b') %}"
OBJECTS = [(BLOCK, "self", ""), (BLOCK, "self.b", ""), (LOOP, "loop", "{% endfor %}"), (LOOP, "loop.cycle", "{% endfor %}"),
           (LOOP, "loop.changed", "{% endfor %}"), (CYCLER, "c", ""), (CYCLER, "c.next", ""), (CYCLER, "c.reset", ""),
           ("{% set j = joiner('|') %}", "j", ""), ("{% set ns = namespace(a=1) %}", "ns", ""), ("{% macro m(a, b=2) %}{{ a }}{% endmacro %}", "m", ""),
           ("{% macro m() %}", "caller", "{% endmacro %}{% call m() %}x{% endcall %}"), ("", "range", ""), ("", "namespace", ""), ("", "cycler", ""),
           ("", "name.upper", ""), ("", "name.format", ""), ("", "nums.copy", ""), ("", "d.keys", ""), ("", "('<'|e).upper", ""),
           ("", "('<'|e).find", ""), ("", "nums|map('string')", ""), ("", "nums|reverse", ""), ("", "d|reverse", ""), ("", "d.values()|reverse", ""),
           ("", "(1, 2)|reverse", ""), ("", "range(3)|reverse", ""), ("", "d|items", ""), ("", "users|groupby('age')|first", ""), ("", "n.bit_length", "")]
USES = ["{} + 1", "1 + {}", "{} - ()", "-{}", "{} < 1", "1 < {}", "{} == {}", "{} in {}", "{}[:1]", "{}[0]", "{}.nope.x", "{}(a=1)", "'a' * {}", "'a' + {}", "'%d' % {}",
        "[{}, 1]|sort", "[1, {}]|min", "[{}, {}]|unique|list|length", "'a'|center({})", "'a'.startswith({})", "[1]|slice({})|list", "{{'a': {}}}|tojson",
        "{}|last", "{}|reverse|list", "{}|list|length", "{}|length", "{}|join", "{}|dictsort", "{}|xmlattr", "{}|wordwrap", "{}|urlencode", "{}|sum", "{}|abs",
        "{}|indent", "{}|truncate", "{}|float", "{} is iterable", "{} is sequence", "dict(**{})", "[1].index({})"]

# What markup becomes; each is shown in a list, by its repr, and compared, which names its type.
MARKUPS = ["'<a b>'|e", "'x-y Z'|safe", "''|e"]
MARKUP_USES = ["[{}, 1]|min", "[1, {}]|max", "[{}, 1]|sort", "[{}, 'b', 'B'|e]|unique|list", "[{{'a': {}}}, {{'a': 'q'}}]|groupby('a')", "{{'k': {}, 'l': 1}}|dictsort(by='value')",
               "{}|lower", "{}|title", "{}|capitalize", "{}|trim", "{}|replace('a', '<')", "{}|center(9)", "{}|truncate(3)", "{}|truncate(3, true, '<', 0)", "{}|wordwrap(3)",
               "{}|wordwrap(3, true, '<'|e)", "'<b> cd'|wordwrap(3, wrapstring={})", "{}|indent('<', true)", "'a\nb'|indent({})", "['<', {}]|join('<')", "['<']|join({})",
               "{}|first", "{}|last", "{}|reverse", "{}|list", "{}|string", "{}|e", "{}|forceescape", "{}|striptags", "{}|format(1)", "{}|map('upper')|list", "{}[:2]", "{}[::-1]",
               "{} * 2", "{} + '<'", "'<' + {}", "{} ~ '<'", "('%s'|e) % {}", "'%s' % {}", "'{{}}'.format({})", "('{{}}'|e).format({})", "{}.split()", "{}.partition(' ')",
               "{}.splitlines()", "{}.join('<>')", "'<'.join([{}])", "{}.zfill(9)", "{}.upper", "{}.format"]

# What the sandbox hides differs from what is not there: each value is asked for every private name that one of them has.
PRIVATE_OF = ["none", "true", "5", "big", "2.5", "'a'", "('<'|e)", "[1]", "(1,)", "{}", "'a'.encode()", "range(3)", "d.keys()", "d.values()", "d.items()", "d.keys().mapping",
              "dict", "dict[1]", "joiner", "lipsum", "dict.get"]
CLASSES = [object, type, int, float, str, bytes, list, tuple, dict, set, range, Markup, Undefined, Cycler, LoopContext, types.FunctionType, types.MethodType,
           types.BuiltinFunctionType, types.MethodDescriptorType, types.GeneratorType, types.GenericAlias]
OTHERS = {"_x", "__nope__", "_content", "_stack", "_func", "_fields", "_Namespace__attrs", "__wrapped__", "_undefined_hint", "_undefined_name", "_undefined_obj",
          "_undefined_exception"}
UNREADABLE = {"__abstractmethods__", "__annotations__"}  # classes have them, and fail
PRIVATE = sorted(({n for c in CLASSES for n in dir(c) if n.startswith("_")} | OTHERS) - UNREADABLE)


def private():
    names = "{% set names = '" + " ".join(PRIVATE) + "'.split() %}"
    for before, value, after in [*OBJECTS, *(("", v, "") for v in PRIVATE_OF)]:
        for asked in (f"({value})|attr(a)", f"[{value}]|map(attribute=a)|first"):
            yield before + names + "{% for a in names %}{{ a }}: {{ " + asked + " }}\n{% endfor %}" + after, {"undefined": "debug"}
    for kind in KINDS:
        for name in PRIVATE:
            for asked in (f"x.{name}", f"x['{name}']", f"x|attr('{name}')"):
                yield "{{ " + asked + " }}", {"undefined": kind}


def made_by_templates():
    for before, name, after in OBJECTS:
        for use in USES:
            yield before + "{{ " + use.replace("{}", f"({name})").replace("{{", "{").replace("}}", "}") + " }}" + after
    for text in MARKUPS:
        for use in MARKUP_USES:
            shown = use.replace("{{}}", "\0").replace("{}", f"({text})").replace("{{", "{").replace("}}", "}").replace("\0", "{}")
            yield "{{ [" + shown + "] }}"
            yield "{{ (" + shown + ") < 1 }}"


def templates():
    yield from made_by_templates()
    for name in FILTERS:
        for value in INPUTS:
            for args in FILTER_ARGS:
                yield f"{{{{ {value}|{name}({args}) }}}}"
    for name in TESTS:
        if name[0].isalpha():
            for value in INPUTS:
                for args in TEST_ARGS:
                    yield f"{{{{ {value} is {name}({args}) }}}}"
    for value, kind in VALUES.items():
        for name in dir(kind):
            if not name.startswith("_"):
                yield f"{{{{ ({value}).{name} }}}}"
                for args in METHOD_ARGS:
                    yield f"{{% set v = {value} %}}{{{{ v.{name}({args}) }}}}|{{{{ v }}}}"
    for a in FIELDS:
        for b in FIELDS:
            yield f"{{{{ '{a}{b}'.format('p', 'q', a='r') }}}}"
    for a in PERCENTS:
        for operand in OPERANDS:
            for b in ("", "%s", "%(a)s"):
                yield f"{{{{ '{a}{b}' % {operand} }}}}"
            yield f"{{{{ ('{a}'|safe) % {operand} }}}}"
            yield f"{{{{ '{a}'.encode() % {operand} }}}}"
    for encoding in ENCODINGS:
        for text in ("'abc'", "'é'", "'€x'"):
            for mode in MODES:
                args = f"'{encoding}'" + (f", '{mode}'" if mode else "")
                yield f"{{{{ {text}.encode({args}) }}}}"
                if "escape" not in mode:
                    yield f"{{{{ {text}.encode().decode({args}) }}}}"


def main():
    CONTEXTS["main"].update(EXTRA)
    del CONTEXTS["main"]["one"]
    out, seen = [], set()
    for tpl, opts in [*((tpl, {}) for tpl in templates()), *private()]:
        key = tpl, *opts.values()
        if key in seen:
            continue
        seen.add(key)
        case = {"tpl": tpl, "opts": opts} if opts else {"tpl": tpl}
        try:
            result = run(case, folding=False)
        except Exception as e:
            print("skipped", tpl, e, file=sys.stderr)
            continue
        result.pop("undeclared", None)
        if stable(result) and not ("|random" in tpl and ("out" in result or result["err"]["class"] == "KeyError")):
            out.append({**case, **result})
    json.dump({"contexts": {"main": CONTEXTS["main"]}, "cases": out}, sys.stdout, separators=(",", ":"), ensure_ascii=True)
    print()
    print(len(out), "cases", file=sys.stderr)


if __name__ == "__main__":
    main()
