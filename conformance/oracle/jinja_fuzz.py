"""Makes random templates and what Jinja2 makes of them, to compare with pipeline/jinja:

    python conformance/oracle/jinja_fuzz.py 8 1200 > pipeline/jinja/testdata/random.json

is the part that is checked in; further ones, with another seed, are compared by

    HAYWARD_JINJA_CASES=/path/to/cases.json go test -run TestDifferential -v ./pipeline/jinja

Jinja's constant folding, which has rules of its own, is off.
"""

import functools
import json
import random
import re
import signal
import sys

import jinja2.defaults
import jinja2.filters
import jinja2.runtime
import markupsafe

from jinja_cases import run
from jinja_templates import CASES, CONTEXTS

NAMES = ["name", "query", "n", "f", "neg", "none_", "t", "es", "empty", "nums", "words", "html", "uni", "text", "d", "docs", "users", "tree",
         "tup", "big", "mixed", "x", "i", "q", "zero", "two", "s1", "d2"]
EXTRA = {"none_": None, "zero": 0, "two": 2, "s1": "a-b c", "d2": {"k": [1, {"z": "y"}], "n": None, "f": 1.5}}
TESTS = ["odd", "even", "defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "lower", "upper", "string", "mapping",
         "number", "sequence", "iterable", "callable", "escaped", "divisibleby(two)", "sameas(n)", "in(nums)", "eq(n)", "gt(two)", "ne(s1)",
         "le(f)"]
FILTERS = ["abs", "batch(two)|list", "capitalize", "center(20)", "count", "d(n)", "default(s1, true)", "dictsort", "e", "escape", "filesizeformat",
           "first", "float", "float(n)", "forceescape", "groupby('age')", "indent", "indent(two, true, true)", "int", "int(n)", "items|list",
           "join", "join(s1)", "join('|', attribute='n')", "last", "length", "list", "lower", "map('upper')|list", "map('string')|list",
           "map(attribute='content')|list", "map('length')|list", "max", "min", "pprint", "reject('none')|list", "rejectattr('on')|list",
           "replace('a', s1)", "replace('o', '', 1)", "reverse|list", "round", "round(1)", "round(1, 'floor')", "round(-1)", "safe",
           "select|list", "select('string')|list", "selectattr('age', 'gt', 25)|list", "slice(two)|list", "sort", "sort(true)", "sort(attribute='age')",
           "string", "striptags", "sum", "sum('age')", "title", "tojson", "tojson(two)", "trim", "truncate(9)", "truncate(7, true, leeway=zero)",
           "unique|list", "upper", "urlencode", "urlize", "wordcount", "wordwrap(9)", "xmlattr", "format(n)", "format(n, s1)", "attr('real')",
           "map(attribute='meta.page')|list", "unique(attribute='age')|list", "min(attribute='age')", "wordwrap(5, false)", "center(two)"]
METHODS = ["upper()", "lower()", "title()", "split()", "split('a')", "split(s1, 1)", "strip()", "strip('abW')", "replace('o', '0')", "find('o')",
           "count('o')", "startswith('w')", "isupper()", "islower()", "isdigit()", "zfill(12)", "center(11, '*')", "splitlines()", "partition(' ')", "join(words)",
           "format(n, f, a=s1)", "encode()", "get('z')", "get(s1, n)", "keys()|list", "values()|list", "items()|list", "copy()", "index(two)",
           "count(two)", "bit_length()", "is_integer()", "append(n)", "pop()", "extend(words)", "update(q=n)", "setdefault('r', n)", "sort()", "nope()",
           "swapcase()", "casefold()", "istitle()", "isalpha()", "expandtabs()", "rsplit(' ', 1)", "rpartition('o')", "removeprefix('w')", "insert(zero, f)"]
ATTRS = ["a", "z", "m", "k", "content", "meta", "age", "n", "x", "0", "1", "real", "first", "_x", "__class__", "items", "nope"]
FORMATS = ["%s", "%r", "%d", "%5.1f|%-6s", "%x", "%c", "%05d", "%+.2e", "%%", "%s %s", "%(z)s", "%g", "%i"]
SPECS = ["", ">8", "<8", "^9", "*^9", "05", "+", ",", "_", ".2f", "8.3f", "e", "g", ".3g", "%", ".1%", "x", "#x", "b", "c", "d", "s", ".2", "n", "012,.2f", "=+8", " d"]
LITERALS = ["0", "1", "2", "-1", "3", "10", "2.5", "0.1", "1e3", "'a'", "'B c'", "''", "'<i>'", "none", "true", "false", "[]", "{}", "()", "[1, 'a']", "{'a': 1}", "(1, 2)"]


class Maker:
    def __init__(self, rnd):
        self.r = rnd

    def pick(self, *options):
        return self.r.choice(options)

    def atom(self):
        return self.r.choice(NAMES) if self.r.random() < 0.75 else self.r.choice(LITERALS)

    def expr(self, depth):
        r = self.r
        if depth <= 0:
            return self.atom()
        sub = lambda: self.expr(depth - 1)
        kind = r.randrange(16)
        if kind <= 2:
            return f"{self.wrap(sub())}|{r.choice(FILTERS)}"
        if kind == 3:
            return f"{self.wrap(sub())}.{r.choice(METHODS)}"
        if kind == 4:
            return f"{self.wrap(sub())}.{r.choice(ATTRS)}"
        if kind == 5:
            return f"{self.wrap(sub())}[{sub()}]"
        if kind == 6:
            part = lambda: self.pick("", "", "1", "-1", "two", "-3", "zero", "n", "none_")
            return f"{self.wrap(sub())}[{part()}:{part()}{self.pick('', ':' + self.pick('-1', '2', '-2', 'two'))}]"
        if kind <= 8:
            return f"{self.wrap(sub())} {self.pick('+', '-', '*', '/', '//', '%', '~')} {self.wrap(sub())}"
        if kind == 9:
            return f"{self.wrap(sub())} {self.pick('==', '!=', '<', '<=', '>', '>=', 'in', 'not in')} {self.wrap(sub())}"
        if kind == 10:
            return f"{self.wrap(sub())} {self.pick('and', 'or')} {self.wrap(sub())}"
        if kind == 11:
            return f"{sub()} is {self.pick('', 'not ')}{r.choice(TESTS)}"
        if kind == 12:
            return f"({sub()} if {sub()}{self.pick('', ' else ' + sub())})"
        if kind == 13:
            return self.pick(f"[{sub()}, {sub()}]", f"({sub()}, {sub()})", "{" + f"'k': {sub()}" + "}", f"not {sub()}", f"-{self.wrap(sub())}")
        if kind == 14:
            return f"(('{r.choice(FORMATS)}' ~ es) % {self.wrap(sub())})"
        return f"('{{:{r.choice(SPECS)}}}' ~ es).format({sub()})"

    def wrap(self, e):
        return e if re.fullmatch(r"[\w.]+", e) and not e[0].isdigit() else f"({e})"

    def body(self, depth):
        r = self.r
        if depth <= 0 or r.random() < 0.35:
            return self.pick("t ", " \n", "<b>", "") + "{{ " + self.expr(r.randrange(1, 4)) + " }}"
        sub = lambda: self.body(depth - 1)
        minus = self.pick("", "", "", "-")
        kind = r.randrange(12)
        if kind <= 2:
            loop = self.pick("{{ loop.index }}", "{{ loop.last }}", "{{ loop.length }}", "{{ loop.previtem }}", "{{ loop.changed(i) }}", "{{ loop.cycle(n, f) }}", "")
            cond = self.pick("", "", f" if {self.expr(1)}")
            tail = self.pick("", "{% else %}" + sub())
            return f"{{%{minus} for i in {self.expr(1)}{cond} %}}{loop}{sub()}{tail}{{% endfor {minus}%}}"
        if kind <= 4:
            return f"{{%{minus} if {self.expr(2)} %}}{sub()}{self.pick('', '{% elif ' + self.expr(1) + ' %}' + sub())}{self.pick('', '{% else %}' + sub())}{{% endif {minus}%}}"
        if kind <= 6:
            return f"{{% set {self.pick('q', 'i', 'x', 'n')} = {self.expr(2)} %}}{sub()}"
        if kind == 7:
            return f"{{% set q %}}{sub()}{{% endset %}}{sub()}{{{{ q }}}}"
        if kind == 8:
            m = self.pick("m1", "m2")
            return f"{{% macro {m}(i, x={self.expr(1)}) %}}{sub()}{self.pick('', '{{ varargs }}', '{{ kwargs }}')}{{% endmacro %}}{{{{ {m}({self.expr(1)}{self.pick('', ', ' + self.expr(1), ', x=' + self.expr(1))}) }}}}"
        if kind == 9:
            return f"{{% with q = {self.expr(1)}, i = {self.expr(1)} %}}{sub()}{{% endwith %}}{{{{ q }}}}"
        if kind == 10:
            return f"{{% filter {self.pick('upper', 'trim', 'replace(s1, n)', 'indent')} %}}{sub()}{{% endfilter %}}"
        return sub() + sub()

    def mutated(self):
        source = self.r.choice(CASES)
        source = source if isinstance(source, str) else source["tpl"]
        other = self.r.choice(CASES)
        other = other if isinstance(other, str) else other["tpl"]
        i, j = self.r.randrange(len(source) + 1), self.r.randrange(len(other) + 1)
        return self.pick(source[:i] + other[j:], source[:i] + source[i + 1:], source[:i] + self.pick("{{", "%}", "(", "'", "|", "-", "\n", "}", " ") + source[i:])


SEVERAL = re.compile(r"\{[^{}:]+, [^{}:]+\}")  # a set, which has no order


def stable(result):
    text = json.dumps(result).lower()
    return not SEVERAL.search(result.get("out", "")) and "<recursion on" not in text and " at 0x" not in text and "at%200x" not in text and "generator object" not in text and "built-in method" not in text and len(text) < 20000


class Choices:
    """Stands in for random.choice, which the filter random and lipsum() call, and knows whether there was more than one thing to choose from."""

    def __init__(self):
        self.made, self.choice = False, random.choice

    def __call__(self, seq):
        self.made = self.made or len(seq) > 1
        return self.choice(seq)


class Texts:
    """Knows whether something was turned into a text with its address: what counts its letters or words then differs from run to run."""

    def __init__(self):
        self.addressed = False
        for module, name in [(jinja2.filters, "soft_str"), (jinja2.filters, "escape"), (jinja2.filters, "url_quote"), (jinja2.filters, "pformat"),
                             (jinja2.runtime, "str_join"), (markupsafe, "escape")]:
            setattr(module, name, self.watch(getattr(module, name)))
        for name in ("string", "e", "escape"):
            jinja2.filters.FILTERS[name] = jinja2.defaults.DEFAULT_FILTERS[name] = self.watch(jinja2.filters.FILTERS[name])

    def watch(self, fn):
        @functools.wraps(fn)
        def watched(*args, **kwargs):
            text = fn(*args, **kwargs)
            self.addressed = self.addressed or " at 0x" in str(text)
            return text

        return watched


SECONDS = 10  # for one template: Jinja2 has no limit of its own


class TooLong(BaseException):
    """Which run does not take for an error of the template."""


def within(seconds, case):
    def stop(*_):
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        return run(case, folding=False)
    except TooLong:
        raise RuntimeError("takes too long") from None
    finally:
        signal.alarm(0)


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    CONTEXTS["main"].update(EXTRA)
    del CONTEXTS["main"]["one"]
    maker, out = Maker(random.Random(seed)), []
    random.choice = choices = Choices()
    texts = Texts()
    while len(out) < count:
        tpl = maker.mutated() if maker.r.random() < 0.15 else maker.body(maker.r.randrange(0, 4))
        case = {"tpl": tpl, "opts": maker.pick({}, {}, {"undefined": "strict"}, {"autoescape": True}, {"trim": True, "lstrip": True})}
        choices.made = texts.addressed = False
        try:
            result = within(SECONDS, case)
        except Exception as e:
            print("skipped", tpl, e, file=sys.stderr)
            continue
        if stable(result) and not choices.made and not texts.addressed:
            out.append({**case, **result})
    json.dump({"contexts": CONTEXTS, "cases": out}, sys.stdout)


if __name__ == "__main__":
    main()
