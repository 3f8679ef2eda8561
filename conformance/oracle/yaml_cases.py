"""Writes pipeline/pyyaml/testdata/{load,dump}.jsonl: documents as Haystack's YAML marshaller reads and writes them.

    pip install haystack-ai==3.4.0 PyYAML==6.0.3
    python conformance/oracle/yaml_cases.py pipeline/pyyaml/testdata [seed load-cases dump-cases]

A larger run against another folder is a differential fuzz: point PYYAML_GOLDEN at that folder and run the package's tests.

    python conformance/oracle/yaml_cases.py /tmp/yaml 7 60000 40000 && PYYAML_GOLDEN=/tmp/yaml go test ./pipeline/pyyaml

A load case is {"y": text, "v": value} or {"y": text, "err": class of the exception}; a dump case is {"v": value,
"y": text}. Values are JSON with names for what JSON lacks: {"i"}, {"f"}, {"bytes"}, {"date"}, {"tuple"}, {"set"},
{"m": [[key, value], ...]}; in dump cases {"ref": n} is the n-th list, dict, set or date of the same value again.
"""

import datetime
import json
import random
import sys

import yaml
from haystack.marshal.yaml import YamlDumper, YamlLoader

WORDS = """yes no on off true false Yes NO True FALSE On OFF y n null Null NULL ~ nUll yEs None
0 -0 +1 12 -12 010 08 00 0b101 -0b1 0b_ 0x1F 0x 0xG 0o17 1_000 1__0 _1 1_ 0_ 0x_1 123456789012345678901234567890 -9223372036854775808
9223372036854775808 1:30 190:20:30 1:60 1:5 -1:30 0:30 01:30 1:30.5 -1:30.25 1:2:3.
1.0 -1.5 +1.5 .5 -.5 1. 1.5e3 1.5e+3 1e3 1e-05 12e03 1.e+3 6.02_1 .inf -.inf +.INF .nan .NaN -.nan .Inf 1.2.3 1_0.5 685.230_15e+03 . .. ._ 1._ .1_
2024-01-01 2024-1-1 2024-13-45 2024-02-30 0000-01-01 2024-01-01T10:00:00Z 2024-01-01t1:00:00.5 2024-01-01T10:00:00+02:00
2024-01-01T10:00:00-5 2024-01-01T10:00:00.1234567-03:30 2024-01-01T25:00:00 2024-01-01T10:00:00+99:00 2024-01-01T10:00:00.
= << <<x == < > ! @x `x` %x &a *a - -- --- ... .... ? ?x :x x: a:b http://x.y:80/z#q a#b 'x' "x" 'it''s' "a\\tb" "\\x41" "\\u00e9" "\\q" "\\ud83d\\ude00x"
[] {} [a,b] {a: b} {a} [a: b] [a: b, c] [? a : b] {a: 1, b} {? a} {a: [b, {c: d}]} [a b, c] [,] [a,,b] {,} [a, ] {a: 1, } {a:b} {"a":b} [a:b] ["a":b]
!!str 12 | !!int "12" | !!int x | !!int "" | !!float 12 | !!float x | !!float 1e5 | !!float "inf" | !!bool yes | !!bool x | !!null x | !!str | !!int 0o17
!!binary aGVsbG8= | !!binary a | !!binary "a=b" | !!binary YQ | !!binary "YW=" | !!set {a, b} | !!set [a] | !!omap [a: 1, b: 2] | !!omap [a] | !!pairs [a: 1, a: 2]
!!timestamp 2024-01-01 | !!timestamp x | !!seq [a] | !!seq {} | !!map {} | !!map [] | !!python/tuple [1, [2]] | !!python/tuple x | !!python/tuple {} | !foo x
!!python/object:os.system x | !<tag:yaml.org,2002:str> 1 | !<x> y | ! 12 | ! "12" | ! [a] | ! | !!x%41 y | !!str [a] | !!str {=: x} | !e!x y | !! x | !a!b c"""

DOCS = ["", " ", "\n", "# only a comment\n", "---\n", "---\n---\n", "a: 1\n---\nb: 2\n", "a: 1\n...\n", "a: 1\n...\n...\n", "a: 1\n...\nb: 2", "...\na: 1",
        "%YAML 1.1\n---\na: yes", "%YAML 1.2\n--- a", "%YAML 2.0\n--- a", "%YAML 1.1\n%YAML 1.1\n--- a", "%YAML 1\n--- a", "%FOO bar\n--- a", "%FOO bar\n",
        "%TAG !e! tag:yaml.org,2002:\n--- !e!str 12", "%TAG !e! !x\n%TAG !e! !y\n--- a", "%TAG ! tag:yaml.org,2002:\n--- !int '3'", "% x\n--- a", "%TAG e x\n--- a",
        "\ufeffa: 1", "a: \ufeff1", "a: \x07", "a: \x00", "\x85a: 1", "a: b\x85c: d", "a: b\u2028  c", "a: 'b\u2028\u2028c'", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2", "a:\tb", "\ta: b",
        "a: b\t", "a: b\tc", "a:\n\t- b", "a:\n  - b\t# c", "-\ta", "- a\n-\tb", "a: \tb", "[a,\tb]", "{a:\tb}", "'a'\t: b", "? a\n: b", "? a", "? [a, b]\n: c", "? {a: 1}\n: c", "? a\n? b\n: c",
        "- - a\n  - b\n- c", "a:\n- b\n- c\nd: e", "a:\n  - b\n - c", "a:\n    b: 1\n   c: 2", "a: b\n  c: d", "a: b: c", "a: - b", "- a: 1\n  b: 2\n-\n  c: 3", "a:\n\n\n  b: 1",
        "a: |\n  x\n   y\n  z\n\n", "a: |-\n  x\n\n", "a: |+\n  x\n\n\nb: 1", "a: >\n  x\n  y\n\n  z\n   w\n  v\n", "a: >-\n  x\n  y", "a: >+\n  x\n\n", "a: |2\n    x", "a: |2-\n    x", "a: |-2\n    x",
        "a: |0\n  x", "a: |10\n  x", "a: |x\n  y", "a: | # c\n  x", "a: |#c\n  x", "a: |\n\n   \n  x", "a: |\n   \n  x", "a: |\nb: 1", "|\n x\n y", "- |\n x\n- >\n y\n z", "a: |\n  x\n # c\nb: 1", "a: |\n  \tx\n",
        "a: >\n\n  x\n\n\n  y\n", "a: >\n  x\n\n   y\n\n  z", "a: |+\n\n", "a: |\n", "a: >", "a: |1\n x",
        "a: 'x\n  y'", "a: 'x\n\n  y'", "a: \"x\\\n   y\"", "a: \"x\\\n\n   y\"", "a: \"x  \n  y\"", "a: 'x", "a: \"x", "a: 'x\n---\n'", "a: \"x\n... \n\"", "a: \"\\\n", "'a\n b': c", "a\n b: c", "a: \"\\x4\"", "a: \"\\U00110000\"", "a: \"\\ud800\"",
        "a: x\n  y\n  z", "a: x\n\n  y", "a: x # c\n  y", "a: x\n  # c\n  y", "x\ny", "x\n y\nz", "x\n---", "a: x\n  - y", "a: [x\n, y]", "a: [x,\ny]", "a: {x: 1\n}", "a: [x\n  y]", "[a", "{a", "]", "}", "a]", "a: ]", "[a]]", "[a}", "{a]", "[a] b", "[a]: b", "{a: b}: c",
        "'a': b", "'a':b", "\"a\":b", "[a, 'b':c]", "{'a':b}", "a : b", "a :b", "a:b", "a:", ":", ": a", ":a", "- :a", "[:a]", "[::]", "{:a}", "{a: :b}", "?a", "? ", "-", "- ", "-a", "--- a", "---a", "--- |\n x", "--- [a]", "--- a: b", "---\ta",
        "&a b", "&a", "*a", "- &a x\n- *a", "- &a [x]\n- *a\n- *a", "&a [*a]", "&a {b: *a}", "- &a x\n- &a y", "&a &b c", "&a *b", "- &a x\n- &b *a", "&é b", "&a-b_1 c", "&a: b", "&a : b", "*a : b", "- &a x\n- *a : y", "- &a x\n- {*a : y}", "- &a !!str 1", "- !!str &a 1", "&a !!str", "a: &x\nb: *x", "a: &x !!str\nb: *x", "&a\nb: c", "&a b: c", "!!map\na: b", "!!map &x\na: b", "- !!str\n- a",
        "a: &x {y: 1, z: 2}\nb: {<<: *x, y: 3}", "a: &x {y: 1}\nb: &w {z: 2, y: 5}\nc: {<<: [*x, *w], k: 1}", "<<: {a: 1}\na: 2", "a: 2\n<<: {a: 1, b: 3}", "<<: 1", "<<: [1]", "<<: [{a: 1}, {a: 2, b: 3}]\nc: 1", "<<: {a: 1}\n<<: {a: 2, b: 1}", "a: <<", "- <<", "'<<': {a: 1}", "!!str <<: {a: 1}", "<<: !!set {a}", "a: &x {<<: {b: 1}, c: 2}\nd: {<<: *x}", "=: a", "- =", "a: =", "{=: a, b: =}",
        "a: 1\na: 2", "a: 1\nb: 2\na: 3", "1: a\n1.0: b\ntrue: c", "[a]: b", "? [a]\n: b", "? !!python/tuple [a, b]\n: c", "? !!python/tuple [[a]]\n: c", "{[a]: b}", "{{a: b}: c}", "? !!set {a}\n: b", "2024-01-01: a", "null: a", "~: b", ".nan: a", "? |\n  x\n: y",
        "components:\n  a:\n    type: haystack.components.builders.prompt_builder.PromptBuilder\n    init_parameters:\n      template: |\n        {% for d in docs %}\n        {{ d.content }}\n        {% endfor %}\n      required_variables: '*'\nconnections:\n- sender: a.prompt\n  receiver: b.prompt\nmetadata: {}\nmax_runs_per_component: 100\n",
        "a: {{ x }}", "a: '{{ x }}'", "a: x{{ y }}", "a: [*x]", "a: @b", "a: %b", "%a: b", " %a: b", "a: `b`", "a: !b", "a: &", "a: *", "a: | x", "a: > x", "a: x'y", "a: x\"y", "a: 'x'y", "a: \"x\"y", "a: 'x' # y", "a: 'x'#y", "#a: b", "a#: b", "a #: b", "a: #b", "- #a\n- b", "a: b #", "a: b#",
        "a: [1, 2\nb: 3", "a: {b: 1\nc: 2", "a:\n  - b\n  c: d", "a:\n  b: c\n  - d", "- a\nb: c", "a: b\n- c", "a: 1\n b: 2", " a: 1\nb: 2", " a: 1\n b: 2", "a: 1\nb", "a\nb: 1", "'a'\nb: 1", "a: 1\n'b'\nc: 2", "a: 1\n[b]\n", "x" * 1100 + ": 1", "? " + "x" * 1100 + "\n: 1", "{" + "x" * 1100 + ": 1}", "[" + "x" * 1030 + ": 1]", "'" + "x" * 1020 + "': 1", "'" + "x" * 1022 + "': 1"]

PIECES = ["a", "b", "key", "1", "yes", "~", "'q'", '"d"', "- ", "? ", ": ", ":", "\n", "\n", "\n  ", "\n    ", "  ", " ", "\t", "[", "]", "{", "}", ", ", ",", "&x ", "*x", "!!str ", "!t ", "!!python/tuple ", "|", ">", "|-\n", ">+\n",
          "#", " # c", "---", "\n---\n", "...", "%", "<<: ", "=", "'", '"', "\\", "\\n", "\u2028", "é", "\r\n", "-", "?", "!", "@", "2024-01-01", "0x1f", "1:30", ".5", "1e3", "x y", "x\n  y"]

# What a parser sees that reads one token ahead, and no more: an error that comes before another, further on.
ORDERS = ["a: !a!b &x\nb: c\nd", "a: &x !a!b\nb: c\nd\n: [", "1_: !a!!map &x\na:map &x\na: b", "!a!b &x @", "&x !a!b @", "!a!b @", "&x @", "&x &y @", "!a !b @", "- &x a\n- &x @", "- &x a\n- &x !a!b @",
          "*x @", "- *x @", "%YAML 2.0\n@", "%TAG !e! !x\n%TAG !e! !y\n@", "--- a\n--- @", "[a b, ]]: @", "{a: b c: d @", "- a\n b: @"]


def plainly(v):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return {"i": str(v)}
    if isinstance(v, float):
        return {"f": repr(v)}
    if isinstance(v, bytes):
        return {"bytes": v.hex()}
    if isinstance(v, (datetime.date, datetime.datetime)):
        return {"date": v.isoformat()}
    if isinstance(v, list):
        return [plainly(x) for x in v]
    if isinstance(v, tuple):
        return {"tuple": [plainly(x) for x in v]}
    if isinstance(v, set):
        return {"set": [plainly(x) for x in v]}
    return {"m": [[plainly(k), plainly(x)] for k, x in v.items()]}


def load_case(text):
    try:
        v = yaml.load(text, Loader=YamlLoader)
        case = {"y": text, "v": plainly(v)}
        json.dumps(case, ensure_ascii=False).encode("utf-8")
        return case
    except (UnicodeEncodeError, RecursionError):
        return None  # lone surrogates, and values that hold themselves: refused here on purpose
    except Exception as e:
        return {"y": text, "err": type(e).__name__}


def mutated(rng, texts):
    if rng.random() < 0.5:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(2, 14)))
    s = rng.choice(texts)
    for _ in range(rng.randint(1, 3)):
        i = rng.randint(0, len(s))
        match rng.randrange(4):
            case 0:
                s = s[:i] + rng.choice(PIECES) + s[i:]
            case 1:
                s = s[:i] + s[i + 1:]
            case 2:
                s = s[:i] + rng.choice(texts)[:40] + s[i:]
            case _:
                j = rng.randint(0, len(s))
                s = s[:i] + s[min(i, j):j] + s[i:]
    return s[:400]


def unordered(v):
    """Whether a set of several items is in v as plainly writes it: their order is Python's own."""
    if isinstance(v, dict):
        return len(v.get("set", ())) > 1 or any(unordered(x) for x in v.values())
    return isinstance(v, list) and any(unordered(x) for x in v)


def skip_load(case):
    # Sets have no order in Python; a \ud83d\ude00 pair stays two halves there.
    return case is None or unordered(case.get("v"))


STRINGS = ["", " ", "a", "yes", "No", "null", "~", "1", "1.5", "1e3", "0x1f", "010", "1:30", "=", "<<", "2024-01-01", "2024-01-01 10:00:00", ".inf", "-", "- a", "-a", "? a", "?a", ": a", ":a", "a:", "a: b", "a:b", "a #b", "a#b", "#a", " a", "a ", "  a  ",
           "a\n", "\na", "a\nb", "a\n\nb", "a\n b", "a \nb", "a\n\n\n", "\n", "\n\n", " \n ", "a\tb", "\ta", "a\t", "é", "日本語", "😀", "a\x85b", "a\u2028b", "a\xa0b", "\ufeffa", "a\x00b", "\x07", "\x1b[0m", "'", "''", "it's", '"', 'say "hi"', "it's \"x\"", "\\", "a\\nb",
           "[a]", "{a}", "a, b", "a,b", "a]b", "!a", "&a", "*a", "@a", "`a", "%a", "|", ">", "|a", ">a", "---", "--- a", "...", "... a", "a---", "http://x.y/z?q=1#f", "{{ query }}", "{% for d in docs %}\n{{ d.content }}\n{% endfor %}\n", "x" * 100, "word " * 30, ("word " * 30).strip(),
           "long line with 'quotes' and: colons, " * 5, "a" * 79 + " b", "a" * 80 + " b", "a" * 81 + " b", ("äöü " * 40).strip(), "tab\there " * 12, "line one is here\nline two: is here\n\nline four # with hash\n" * 2, "x: " * 40, "\\ " * 60, "é" * 50 + " " + "é" * 50,
           "  leading\n  lines", "trailing  \nspace", "a  b", "a" + " " * 100 + "b", "a" + "\n" * 5 + "b", "0", "00", "+1", "1_000", "y", "n", "on", "TRUE", "None", "!!str", "a: |\n  b", "key with spaces", "12e03", ".", "..", "0b1", "0o7", "é: x", "é\n", "a\r\nb", "a\rb", " é " * 30, "x" * 128, "x" * 127, "k" * 130 + "\nm"]
SCALARS = [None, True, False, 0, 1, -5, 2**70, -2**64, 1.0, -0.0, 0.1, 1e17, 1e-7, 1e300, 1.5e-10, float("inf"), float("-inf"), float("nan"), b"", b"hello", bytes(range(256)), b"x" * 100,
           datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3, 4, 5), datetime.datetime(2024, 1, 2, 3, 4, 5, 678), datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
           datetime.datetime(1, 1, 2, 3, 4, 5, 120000, tzinfo=datetime.timezone(datetime.timedelta(hours=-5, minutes=-30)))]
CHARS = "ab c:'\"-#\n ,[]{}&*!|>%@é\u2028\x85\xa0\t\\?=~.0 1\U0001f600\x00 word  "


def random_text(rng):
    r = rng.random()
    if r < 0.4:
        return rng.choice(STRINGS)
    if r < 0.7:
        return "".join(rng.choice(CHARS) for _ in range(rng.randint(0, 20)))
    return rng.choice([" ", "  ", "\n", " \n", ": "]).join(rng.choice(STRINGS)[:30] for _ in range(rng.randint(2, 12)))


def random_value(rng, depth, seen):
    r = rng.random()
    if seen and r < 0.08:
        return rng.choice(seen)
    if depth <= 0 or r < 0.35:
        v = random_text(rng) if rng.random() < 0.75 else rng.choice(SCALARS)
        if isinstance(v, datetime.date):
            v = v.replace(day=v.day)  # dates have an identity in Python, and none here
        return v
    n = rng.randint(0, 4)
    if r < 0.6:
        v = {}
        for _ in range(n):
            k = random_text(rng) if rng.random() < 0.8 else rng.choice([1, 2.5, True, None, ("a", 1), (), b"k", datetime.date(2024, 1, 2)])
            v[k] = random_value(rng, depth - 1, seen)
    elif r < 0.85:
        v = [random_value(rng, depth - 1, seen) for _ in range(n)]
    elif r < 0.95:
        v = tuple(random_value(rng, depth - 1, seen) for _ in range(n))
    else:
        v = set(rng.sample(["a", "b", 1, 2.5, "z z", "yes"], min(n, 1)))
    seen.append(v)
    return v


def tree(v, ids):
    """plainly, with {"ref": n} for what was met before."""
    if v is None or isinstance(v, (bool, str, int, float, bytes)) or v == ():
        return plainly(v)
    if id(v) in ids:
        return {"ref": ids[id(v)]}
    ids[id(v)] = len(ids)
    if isinstance(v, list):
        return [tree(x, ids) for x in v]
    if isinstance(v, tuple):
        return {"tuple": [tree(x, ids) for x in v]}
    if isinstance(v, set):
        return {"set": [tree(x, ids) for x in v]}
    if isinstance(v, dict):
        return {"m": [[tree(k, ids), tree(x, ids)] for k, x in v.items()]}
    return plainly(v)


def dump_case(v):
    case = {"v": tree(v, {})}
    case["y"] = yaml.dump(v, Dumper=YamlDumper)
    return case


def write(path, cases):
    with open(path, "w", encoding="utf-8") as f:
        for c in cases:
            f.write(json.dumps(c, ensure_ascii=False) + "\n")


def main():
    out = sys.argv[1]
    seed, loads, dumps = (int(x) for x in (sys.argv[2:5] or (34, 1000, 700)))
    rng = random.Random(seed)
    words = [w for line in WORDS.split("\n") for w in (line.split(" | ") if "!!" in line else line.split(" "))]
    texts = list(dict.fromkeys(DOCS + ["a: " + w for w in words] + ["- " + w for w in words] + words + [w + ": a" for w in words] + ["[" + w + ", b]" for w in words] + [f"{{k: {w}}}" for w in words]))
    base = list(texts)
    while len(texts) < loads:
        texts.append(mutated(rng, base))
    texts += ORDERS
    cases = (load_case(t) for t in texts)
    write(out + "/load.jsonl", [c for c in cases if not skip_load(c)])
    shared = ["a", {"b": 1}]
    values = STRINGS + SCALARS + [{"k": s} for s in STRINGS] + [[s] for s in STRINGS] + [{s: 1} for s in STRINGS] + [{"a": {"b": [s, s]}} for s in STRINGS] + [{"v": s} for s in SCALARS] + [
        [], {}, (), set(), [[]], [{}], [()], {"a": []}, {"a": {}}, {"a": ()}, {"a": None}, [[1, 2], [3]], [[[]]], {"a": [[1], {"b": [2]}]}, {"b": 1, "a": 2}, {2: 1, 1: 2}, {"b": 1, 1: 2, "a": 3}, {None: 1}, {True: 1, "x": 2},
        ("a", 1), {"t": (1, (2, 3))}, {("a", "b"): 1}, {("a", 1): {"x": 1}}, {"s": {"x"}}, [shared, shared], {"a": shared, "b": shared, "c": [shared]}, [(1,), (1,)], {"x": {"y": {"z": [{"p": 1, "q": [1, 2]}, {"r": None}]}}}]
    while len(values) < dumps:
        values.append(random_value(rng, 4, []))
    write(out + "/dump.jsonl", [dump_case(v) for v in values])


main()
