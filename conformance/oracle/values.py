"""Golden cases for pipeline/value: what Python itself answers.

    python3 -W ignore conformance/oracle/values.py pipeline/value

writes one JSON line a case into testdata/values.jsonl, testdata/literals.jsonl and pyre/testdata/regexps.jsonl, and
testdata/classes.json. Standard library only;
written with Python 3.11. Values are in the notation of the vectors ({"$tuple": [...]} and so on).
"""
import ast
import datetime as dt
import itertools
import json
import operator
import random
import re
import struct
import sys
import unicodedata
from pathlib import Path

rng = random.Random(20260101)
UTC = dt.timezone.utc


def enc(v):
    """Turns a value into the notation."""
    if isinstance(v, tuple):
        return {"$tuple": [enc(x) for x in v]}
    if isinstance(v, list):
        return [enc(x) for x in v]
    if isinstance(v, (set, frozenset)):
        return {"$set": [enc(x) for x in v]}
    if isinstance(v, bytes):
        return {"$bytes": list(v)}
    if isinstance(v, dt.datetime):
        return {"$datetime": v.isoformat()}
    if isinstance(v, dt.date):
        return {"$date": v.isoformat()}
    if isinstance(v, dict):
        if all(isinstance(k, str) and not k.startswith("$") for k in v):
            return {k: enc(x) for k, x in v.items()}
        return {"$pairs": [[enc(k), enc(x)] for k, x in v.items()]}
    return v


def case(op, args, fn):
    try:
        want = {"want": enc(fn())}
        if has_complex(want["want"]):
            return None
    except Exception as e:  # noqa: BLE001
        want = {"error": type(e).__name__, "text": re.sub(r": <ast.*|'<ast.*", "", str(e))}
    return {"op": op, "args": [enc(a) for a in args], **want}


def has_complex(v):
    if isinstance(v, complex) or v is Ellipsis:
        return True
    if isinstance(v, list):
        return any(map(has_complex, v))
    if isinstance(v, dict):
        return any(map(has_complex, v.values()))
    return False


def write(path, cases):
    with open(path, "w") as f:
        for c in cases:
            if c is not None:
                f.write(json.dumps(c, separators=(",", ":")) + "\n")


FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 1e15, 1e16, 123456789012345678.0, 9999999999999998.0, 1e-4, 1e-5, 9.999e-5, 1.5e300, 5e-324,
          1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 2.0**53, 2.0**63, 1 / 3, 100.0, 1e22, 1e23, 3.14159]
INTS = [0, 1, -1, 2, 3, -7, 10, 255, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, -(10**30)]
STRS = ["", "a", "it's", 'say "hi"', "it's \"both\"", "tab\tnl\ncr\r", "back\\slash", "\x00\x1f\x7f", "\x80\x9f\xa0\xad", "é", "日本語",
        "\u200b\u2028\u2029\ufeff", "\U0001f600", "\U000e0001", "\u0378", "\u3000x", "a b", "123", "1e5", "None"]
BYTES = [b"", b"abc", b"it's", b'"', b"\x00\xff\n\r\t\\", b"'\""]
DATES = [dt.date(2024, 2, 29), dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4), dt.datetime(2024, 1, 2, 3, 4, 5),
         dt.datetime(2024, 1, 2, 3, 4, 5, 6), dt.datetime(2024, 1, 2, 3, 4, tzinfo=UTC),
         dt.datetime(2024, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
         dt.datetime(2024, 1, 2, 3, 4, 5, 600000, tzinfo=dt.timezone(-dt.timedelta(hours=8)))]
CONTAINERS = [[], [1], [1, "a", None, True], (), (1,), (1, 2), ((),), {}, {"a": 1}, {"a": {"b": [1, (2,)]}}, {1: "x", None: "y", (1, 2): "z"},
              set(), {1}, [[]], [set()], {"k": b"v"}, [1.0, float("nan")], {True: 1, "é": "ü"}, [dt.date(2024, 1, 1)]]
ALL = [None, True, False, *FLOATS, *INTS, *STRS, *BYTES, *DATES, *CONTAINERS]


def value_cases():
    for v in ALL:
        yield case("repr", [v], lambda v=v: repr(v))
        yield case("str", [v], lambda v=v: str(v))
        yield case("ascii", [v], lambda v=v: ascii(v))
        yield case("truthy", [v], lambda v=v: bool(v))
        yield case("len", [v], lambda v=v: len(v))
        yield case("type", [v], lambda v=v: type(v).__name__)
    for _ in range(300):
        f = struct.unpack("<d", rng.randbytes(8))[0]
        if f == f:
            yield case("repr", [f], lambda f=f: repr(f))
        f = round(rng.uniform(-1000, 1000), rng.randrange(8))
        yield case("repr", [f], lambda f=f: repr(f))
    yield from json_cases()
    yield from binary_cases()
    yield from text_cases()
    yield from format_cases()


def json_cases():
    options = [{}, {"ensure_ascii": False}, {"sort_keys": True}, {"indent": 2}, {"indent": 0}, {"separators": [",", ":"]},
               {"allow_nan": False}, {"indent": 2, "sort_keys": True, "ensure_ascii": False}, {"default": "str"}]
    values = [*ALL, {"b": 1, "a": [1, {"d": None, "c": []}]}, {2: "b", 1: "a"}, {"a": 1, 2: 3}, {1.5: 1, None: 2, True: 3},
              {(1, 2): 3}, {float("nan"): 1}, [[[[]]], {}], {"x": {"y": {}}}, {"z": 1, "é": 2, "Z": 3, "\U0001f600": 4, "\uffff": 5}]
    for v in values:
        for o in options:
            def dump(v=v, o=o):
                o = dict(o)
                if o.get("default"):
                    o["default"] = str
                return json.dumps(v, **o)
            yield case("json", [v, o], dump)
    texts = ["", " ", "1", "-1", "1.0", "1e3", "1E+2", "-0", "-0.0", "01", "1.", ".5", "-", "+1", "NaN", "Infinity", "-Infinity", "nan", "null",
             "true", "tru", "[]", "[1,]", "[1 2]", "[", "[1", "{}", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,}', '{"a" 1}', "{a:1}", '{"a":1,"a":2}',
             '{"b":1,"a":2,"b":3}', '"abc', '"a\\nb"', '"a\\x"', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\u12"', '"\n"', '"\t"', "1 2", "[] []",
             " [1 , 2 ] ", "\n\n  x", '[1,\n2,\n"é" x]', "123456789012345678901234567890", "1e400", "-1e400", '"\\/\\b\\f"', "'a'", "[1,,2]", "{,}",
             '{"a":[1,{"b":null}]}', "\ufeff1", "-Inf", '["\\u"]', '{"a":1 "b":2}', "[true,false,null]", "1.5e-7", '"\\"']
    for t in texts:
        yield case("loads", [t], lambda t=t: json.loads(t.encode()))
    yield case("loads", ["9" * 4300], lambda: json.loads("9" * 4300))
    yield case("loads", ["9" * 4301], lambda: json.loads("9" * 4301))


OPS = {"==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "+": operator.add, "-": operator.sub,
       "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod, "**": operator.pow, "in": lambda a, b: a in b}


def binary_cases():
    numbers = [True, 0, -1, 2, 7, -7, 2**53 + 1, 2**63 - 1, -(2**63), 10**30, -0.0, 1.0, 2.5, -2.5, 1e300, float("inf"), float("nan"),
               9007199254740992.0, 0.1]
    others = [None, "a", "b", b"a", [1], [2], [1, "a"], (1,), (1, 2), {"a": 1}, {1}, {1, 2}, dt.date(2024, 1, 1),
              dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=UTC), [1.0], {"a": 1.0}, [[1], 2]]
    compare = ["==", "<", "<=", ">", ">="]
    for a, b in itertools.product(numbers, numbers):
        for op in ["==", "<", ">=", "+", "-", "*", "/", "//", "%", "**"]:
            if op == "**" and isinstance(a, int) and isinstance(b, int) and abs(b) > 300 and abs(a) > 1:
                continue
            yield case(op, [a, b], lambda a=a, b=b, op=op: OPS[op](a, b))
    for a, b in itertools.product(others, others):
        for op in [*compare, "+", "in"]:
            yield case(op, [a, b], lambda a=a, b=b, op=op: OPS[op](a, b))
    for a, b in itertools.product(others, [0, 1, 3, -1, True, 1.5, "x", None]):
        for op in ["*", "-", "/", "//", "**", "<", "=="]:
            yield case(op, [a, b], lambda a=a, b=b, op=op: OPS[op](a, b))
            yield case(op, [b, a], lambda a=a, b=b, op=op: OPS[op](b, a)) if not isinstance(b, str) or op != "%" else None
    for a in [*numbers, *others]:
        yield case("neg", [a], lambda a=a: -a)
        yield case("pos", [a], lambda a=a: +a)
    for t in ["0", "12", " 12 ", "-5", "+5", "1_000", "1__0", "_1", "1_", "", " ", "٣", "१२", "1.0", "0x10", "- 1", "9" * 25, "00", "\u00a07\n", "½"]:
        yield case("int", [t], lambda t=t: int(t))


TEXTS = [*STRS, "  a  b\tc\n", "\x1ca\x1db\x1f", "\u2003x\u2003", "ΑΣ", "ΑΣ Σ ΑΣΑ Σ.", "ὈΔΥΣΣΕΎΣ", "İstanbul", "straße", "ŉ ǰ ΐ", "ﬁre ﬀ", "ǆ Ǆ ǅ",
         "hello world", "they're bill's", "o'neil-smith x2y", "HELLO", "a\r\nb\rc\nd\x0be\x0cf\x85g\u2028h\u2029i", "\n", "a\n\n", "ᾳ ᾼ", "ß", "ÿ",
         "ⓐⒶ", "𐐨𐐀", "ά́Σ", "Σ", "aΣ\u0301", "aΣ'b", "ªº", "xⅷ", "ﬃ", "ﷺ", "①②", "e\u0301", "가", "\u1100\u1161", "Ǆabc ǆabc"]


def text_cases():
    for t in TEXTS:
        for fn in ["lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "split", "splitlines"]:
            yield case("s." + fn, [t], lambda t=t, fn=fn: getattr(t, fn)())
        yield case("s.splitkeep", [t], lambda t=t: t.splitlines(True))
        for n in [0, 1, 2]:
            yield case("s.splitn", [t, n], lambda t=t, n=n: t.split(None, n))
        for sep in [" ", "a", "ab", ""]:
            for n in [-1, 0, 1]:
                yield case("s.splitsep", [t, sep, n], lambda t=t, sep=sep, n=n: t.split(sep, n))
        for form in ["NFC", "NFD", "NFKC", "NFKD"]:
            yield case("s.normalize", [form, t], lambda t=t, form=form: unicodedata.normalize(form, t))
        for i, j in [(0, 1), (1, 3), (2, 100), (5, 2)]:
            yield case("s.slice", [t, i, j], lambda t=t, i=i, j=j: t[i:j])


def format_cases():
    numbers = [0, 1, -1, 42, -42, 10**20, 1.5, -1.5, 0.0, -0.0, 1e100, 1e-10, 123456.789, float("inf"), float("nan"), True, 100000.0, 1e6, 0.5, 2.5]
    for spec in ["%d", "%i", "%5d", "%-5d|", "%05d", "%+d", "% d", "%x", "%X", "%#x", "%o", "%#o", "%.3d", "%f", "%.2f", "%.0f", "%#.0f", "%10.2f",
                 "%-10.2f|", "%010.2f", "%+.1f", "%e", "%.3E", "%g", "%.3g", "%#g", "%G", "%s", "%r", "%8s", "%-8s|", "%.2s", "%c", "%08.3g",
                 "%+05d", "% 5d", "%#10x", "%#010x", "%F"]:
        for v in [*numbers, "abc", "é", None, [1], "a"]:
            yield case("%", [spec, v], lambda s=spec, v=v: s % v)
    for f, a in [("", ()), ("%%", ()), ("%s %s", ("a", 1)), ("%s", ()), ("%s", (1, 2)), ("%(a)s %(b)d", {"a": "x", "b": 2}), ("%(a)s", {}),
                 ("%(a)s", "x"), ("x", 1), ("x", "a"), ("x", [1]), ("x", {}), ("x", ()), ("%", ()), ("%z", 1), ("%q", ()), ("%s", ([1],)), ("%s", [1, 2]),
                 ("%*d", (5, 42)), ("%-*d|", (5, 42)), ("%.*f", (2, 1.5)), ("%*d", ("x", 1)), ("%(a", {}), ("%((a))s", {"(a)": 1}), ("%ld", 5),
                 ("%s%%", 5), ("%d", "x"), ("%x", 1.5), ("%f", "x"), ("%c", "ab"), ("%c", -1), ("%c", 128512), ("%a", "é"), ("é%z", 1), ("%5%", ()),
                 ("%s %(a)s", {"a": 1}), ("%s", {"a": 1}), ("%s", None), ("%d", 3.99), ("%d", -3.99), ("%s", True), ("%5.1s|", "abc")]:
        yield case("%", [f, a], lambda f=f, a=a: f % a)


LITERALS = """1|-1|+1|--1|-(1)|-(-1)|1+1|1-1|1,000|1,|,|(1,)|(1)|((1))|()|(,)|[1,2,]|[,]|[1,,2]|{1,2}|{1,2,}|{}|{1:2}|{1:2,}|{1:2,3}|{1,2:3}|{**{}}|
[1][0]|a|True|true|None|null|False|...|1j|1+2j|0|00|007|0_0|08|0x1F|0X1f|0x|0x_1|0x1_|0x1__1|0o17|0o8|0b101|0b2|1_000|1__0|1_|_1|1e3|1E3|1e|1e+|1e-5|1.|.5|1.5|
1_0.0_1|1._5|1_.5|1.e5|1e1_0|1.5.5|007.5|0e0|1abc|1_a|0xg|1 2|'a' 'b'|'a' b'c'|b'a' b'b'|'a'"b"|'it\\'s'|"\\n\\t\\x41\\101\\u0041\\U00000041"|'\\q'|'\\8'|'\\777'|b'\\777'|'\\x4'|
b'\\x4'|'\\u004'|'\\N{LATIN SMALL LETTER A}'|'\\N{nope}'|b'\\u0041'|r'\\n'|R'\\n'|rb'\\n'|bR'\\n'|Rb'x'|u'x'|ur'x'|f'x'|b'é'|'é'|'''a
b'''|\"\"\"a"b\"\"\"|'''a\\
b'''|'a
b'|'abc|"abc'|'''abc''|set()|set( )|set([1])|set|set ()|frozenset()|list()|[set()]|{[]}|{[]:1}|{():1}|{(1,[]):1}|{1:[]}|{'a':{'b':(1,2)}}|
 1|	1|\n1|\n 1|1\n|1\n\n|1\n2|1 # c|# c\n1|#|[1, # c\n2]|(1\n)|[\n1\n,\n2\n]|1\\\n|1 \\\n , 2|+True|-None|-'a'|~1|not 1|- 1|-\n1|(-1)|-(1,)|-1.5|-0|-0.0|1;2|1==1|'a'+'b'|
lambda: 1|[x for x in y]|print(1)|a.b|__import__('os')|1 if 1 else 2|*[1],|[*[1]]|"a" "b" "c"|('a'\n'b')|1e400|-1e400|1e-400|{'a':1,'a':2}|{1:'a',1.0:'b',True:'c'}|{1,1.0,True}|
[1,2|(1,2|{1:2|]|)|}|(1]|[1)|''|""|''''''|b''|' '|"\\\\"|'\\'|\\|!|@|$|?|é|１|'１'|\ufeff1|1\u00a0|\u00a01|\x0c1|1\x0c|[1\u3000]|1\x00|None,None|None None|NoneType|Nonee|True,False|
(1,2),(3,)|[(1,), {'a': (2,)}]|'a',|[1 2]|{1 2}|{1:}|{:1}|{1:2:3}|(1 2)|1,2,3,|1,,2|"\\a\\b\\f\\v\\r"|'\\\n'|'a\\\r\nb'|'''a\r\nb'''|'''a\rb'''|[1,\r\n2]|1\r\n|0xFFFFFFFFFFFFFFFFFF|
9223372036854775808|-9223372036854775808|-9223372036854775809|1_2_3|0b_1|0O7|0B1|1if|1or 2|0_7|0_0_0|00.5|0e1|1.0e+10|-1e5|nan|inf|-inf|[nan]|{'a': nan}|datetime.date(2024,1,1)|
{"a": 1, "b": [true]}|{"a": null}|{"a": 1}|["a", "b"]|a b|a, b|Hello world|Hello, world!|http://x.y|5%|50 %|$5|1/2|10:30|2024-01-01|01-01|1.2.3|v1|#tag|-|--|...|.|'|"|+|+-1|-+1|1 -1|(1)(2)|""" .replace("\n", "\n")


def literal_cases():
    texts = [t for t in LITERALS.split("|")]
    texts += [t.strip("\n") for t in LITERALS.split("|")]
    texts += ["[" * n + "]" * n for n in (1, 100, 200, 201)] + ["(" * 200 + "1" + ")" * 200, "9" * 4300, "9" * 4301, "-" + "9" * 4300]
    texts += [repr(v) for v in ALL if not isinstance(v, (dt.date,))]
    seen = set()
    for t in texts:
        if t in seen:
            continue
        seen.add(t)
        yield case("literal", [t], lambda t=t: ast.literal_eval(t))


PATTERNS = [r"a", r"a*", r"a+?", r"(a)(b)?", r"(?P<x>a)(?P=x)?", r"\w+", r"\W+", r"\d+", r"\D+", r"\s+", r"\S+", r"[\w-]+", r"[^\W\d]+", r"[\W_]", r"[^\s\d]+", r"\bfoo\b",
            r"\Boo", r"^a", r"a$", r"(?m)^\w+$", r"(?s)a.b", r"a.b", r"(?i)HELLO", r"(?i:h)ello", r"(?-i:H)ello", r"a|b|", r"|a", r"(?:a|b)+", r"(?=a)\w", r"(?!a)\w", r"(?<=a)b",
            r"(?<!a)b", r"(a)?(?(1)b|c)", r"(?P<q>a)?(?(q)b|c)", r"(?>a+)b", r"a++b", r"a*+", r"a{2}", r"a{1,2}", r"a{,2}", r"a{2,}", r"a{,}", r"a{", r"a{x}", r"x{1", r"a{}", r"{", r"\.",
            r"\x41", r"\u0041", r"\U0001F600", r"\101", r"\0", r"[\x41-\x43]", r"[]a]", r"[^]a]", r"[a-]", r"[-a]", r"[a\]b]", r"[\b]", r"[.*+]", r"[[a]", r"[\u4e00-\u9fff]", r"\A\w+\Z",
            r"(?x) a  b # c", "(?x)a\n b", r"(?x)[ a]b\ c", r"(?a)\w+", r"(?u)\w+", r"(?a:\w+) (\w+)", r"(?#comment)a", r"a(?#c)*", r"((a)|(b))*", r"(\w+) (\w+)", r"(?i)straße", r"(?i)Σ", r"(?i)[a-z]+",
            r"\n", r"\t", r"\\", r"\/", r"\-", r"é+", r"[é-í]", r"(.)\1", r"(?P<a>.)(?P<b>.)(?P=b)(?P=a)", r"^", r"$", r"(?m)^", r"(?m)$", r"\Z", r"", r"x*", r"\b", r"\B", r".*", r".*?", r"(?s).*",
            r"\(image:([^)]*)\)", r"\[(\d+)(?:[,\s]+\d+)*\]", r"(?<=\d)(?=(\d{3})+\b)", r"[A-Za-z0-9._%+-]+@[A-Za-z]+\.[a-z]{2,}", r"\s*,\s*", r"[,;]\s*", r"(,)\s*", r"(?P<year>\d{4})-(?P<m>\d\d)"]
BAD = [r"*", r"+a", r"?", r"a**", r"a+*", r"a{2}{3}", r"(", r")", r"(a", r"a)", r"[", r"[a", r"[]", r"[^]", r"[z-a]", r"[a-\d]", r"\q", r"[\q]", r"\1", r"(a)\2", r"(?P<1a>x)", r"(?P<a>x)(?P<a>y)", r"(?P=a)", r"(?P<a",
       r"(?P<>a)", r"(?P", r"(?Px)", r"(?", r"(?<", r"(?<x", r"(?<a>b)", r"(?z)", r"(?<=a*)b", r"(?<=a|bc)d", r"(?<=(a)\1)b", r"(a\1)", r"(?(1)a)", r"(?(x)a)", r"(?(0)a)", r"(a)(?(1)b|c|d)", r"(?(1", r"a{3,2}",
       "\\", r"[\\", r"\x4", r"\u12", r"\U00110000", r"\N{nope}", r"\400", r"[\400]", r"a(?i)b", r"(?L)a", r"(?au)a", r"(?i-i:a)", r"(?i-)", r"(?i", r"(?-:a)", r"(?i-x", r"(?#a", r"^*", r"$+", r"\b*", r"(?P<é>a)",
       r"(?:", r"(?=", r"(?P<a>x)(?(a)y|z", r"[a-", r"[[:alpha:]]x*", r"(?iz)a", r"(?-z:a)", r"(?P<a b>x)", r"\g<1>", r"(?(1a)x)"]
SUBJECTS = ["", "a", "aa", "ab", "abab aab", "foo food foo_ (foo)", "Hello hello HELLO", "a\nb\n", "x=1, y = 22;z", "a b c", "αβγ Σσς ΣΑΣ", "日本 a1 _é-9", "A\U0001f600\x00B", "1234567 12", "foo.bar@example.com, a@b.c",
            "see [1], [2, 3] (image:x.png)", "2024-05-06", "STRASSE straße", "  lead  trail  ", "a{2} {x} a{", "[]a-]^", "aabb abba", "\u0301e\u0301 ²³ Ⅷ ٣", "a\r\n\x0b\x0c\x1c\x85b", "\\ / - . ("]
TEMPLATES = [r"<\g<0>>", r"[\1]", r"\g<1>-", r"\\n\n\t", "x", "", r"\g<x>", r"\9", r"\q", r"\0", r"\101", r"\g<", r"\g<>", r"\g<a b>", r"\&\.", "\\", r"\g", r"é\1", r"\g<99>"]


def span(m):
    return None if m is None else [*m.span(), *m.groups()]


def regexp_cases():
    for p in PATTERNS:
        c = re.compile(p)
        for s in SUBJECTS:
            yield case("all", [p, s], lambda: {
                "findall": c.findall(s), "search": span(c.search(s)), "match": span(c.match(s)), "fullmatch": span(c.fullmatch(s)),
                "split": c.split(s), "split1": c.split(s, 1), "sub": c.sub(r"<\g<0>>", s), "sub2": c.sub("-", s, 2)})
    for t in TEMPLATES:
        for p in [r"a", r"(a)(b)?", r"(?P<x>a)"]:
            yield case("sub", [p, t, "abab aab"], lambda: re.sub(p, t, "abab aab"))
    for p in BAD:
        yield case("compile", [p], lambda: re.compile(p) and "ok")
    for s in [*SUBJECTS, *STRS]:
        yield case("escape", [s], lambda: re.escape(s))


def ranges(test):
    """Runs of code points for which test holds, over what this Python's Unicode has assigned."""
    out, start = [], None
    for cp in [*range(0x110000), None]:
        on = cp is not None and not 0xD800 <= cp <= 0xDFFF and test(chr(cp))
        if on and start is None:
            start = cp
        if not on and start is not None:
            out.append([start, (0x110000 if cp is None else cp) - 1])
            start = None
    return out


def main(folder):
    folder = Path(folder)
    (folder / "testdata").mkdir(parents=True, exist_ok=True)
    (folder / "pyre" / "testdata").mkdir(parents=True, exist_ok=True)
    write(folder / "testdata" / "values.jsonl", value_cases())
    write(folder / "testdata" / "literals.jsonl", literal_cases())
    write(folder / "pyre" / "testdata" / "regexps.jsonl", regexp_cases())
    classes = {"unicode": unicodedata.unidata_version, "assigned": ranges(lambda c: unicodedata.category(c) != "Cn"),
               "printable": ranges(str.isprintable), "alnum": ranges(str.isalnum), "space": ranges(str.isspace),
               "word": ranges(re.compile(r"\w").match), "res": ranges(re.compile(r"\s").match), "red": ranges(re.compile(r"\d").match)}
    (folder / "testdata" / "classes.json").write_text(json.dumps(classes, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
