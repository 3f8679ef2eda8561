"""Writes pipeline/pytype/testdata/{parse,pairs}.jsonl: type strings and pairs of types as Haystack takes them.

    pip install haystack-ai==3.4.0   (Python 3.11)
    python conformance/oracle/type_cases.py pipeline/pytype/testdata [seed parse-cases pair-cases]

A larger run into another folder is a differential fuzz: point PYTYPE_GOLDEN at it and run the package's tests. A few
unions with typing.Literal then differ in CommonType's order of arms, which depends on what Python cached before.
"""

import json
import os
import random
import sys
import typing

os.environ["HAYSTACK_DESERIALIZATION_ALLOWLIST"] = "pathlib,datetime"

from haystack.core.super_component.utils import _is_compatible  # noqa: E402
from haystack.core.type_utils import _strict_types_are_compatible, _type_name, _types_are_compatible  # noqa: E402
from haystack.utils.type_serialization import deserialize_type, serialize_type  # noqa: E402

D = "haystack.dataclasses."
SCALARS = ["str", "int", "bool", "float", "bytes", "object", "typing.Any", "Any", "None", "NoneType", "complex", "type", "pathlib.Path",
           "datetime.datetime", "datetime.date", "ValueError", "Exception", "str", "int", "typing.Text",
           D + "document.Document", D + "Document", D + "chat_message.ChatMessage", D + "ChatMessage", D + "ByteStream",
           D + "answer.GeneratedAnswer", D + "GeneratedAnswer", D + "ExtractedAnswer", D + "StreamingChunk", D + "ToolCall",
           D + "SparseEmbedding", D + "ImageContent", "haystack.utils.Secret", "haystack.utils.auth.EnvVarSecret",
           "haystack.tools.Tool", "haystack.tools.Toolset", "haystack.tools.ComponentTool", "haystack.Document",
           "haystack.document_stores.types.DuplicatePolicy", "haystack.document_stores.types.DocumentStore",
           "haystack.document_stores.in_memory.InMemoryDocumentStore", "haystack.Pipeline"]
ONE = ["list", "set", "frozenset", "type", "typing.List", "typing.Set", "typing.FrozenSet", "typing.Iterable", "typing.Sequence",
       "collections.abc.Iterable", "collections.abc.Sequence", "collections.deque", "typing.Type", "List", "Iterable", "list", "list",
       "collections.abc.Awaitable", "typing.Collection", "collections.abc.Set", "typing.Iterator", "collections.Counter", "typing.Deque"]
TWO = ["dict", "typing.Dict", "typing.Mapping", "collections.abc.Mapping", "collections.OrderedDict", "Dict", "collections.defaultdict",
       "typing.DefaultDict", "typing.MutableMapping", "dict"]
LITERALS = ["'a'", "'b'", '"c"', "1", "2", "-3", "True", "False", "None", "'it''s'", "'a, b'", "'x]'", "'[y'", "b'raw'", "'\\n'", "'\\u00e9'",
            "'é'", '"it\'s"', "0x10", "r'\\d'", "0", "'|'", "''"]
BARE = ["list", "dict", "set", "tuple", "typing.List", "typing.Dict", "typing.Tuple", "typing.Callable", "collections.abc.Callable",
        "typing.Iterable", "collections.abc.Iterable", "collections.abc.Mapping", "typing.Union", "typing.Optional", "typing.Literal",
        "collections.OrderedDict", "collections.abc.Hashable", "collections.abc.Sized", "typing.Sized", "typing.Hashable", "frozenset"]
BAD = ["", " ", "str ", " str", "foo", "Document", "os.system", "eval", "list[", "list]", "list[]", "list[,str]", "list[str", "list[str]]", "str[int]",
       "list[foo]", "typing.List[int, str]", "typing.Dict[str]", "typing.Optional[int, str]", "typing.Optional", "typing.Callable[int]",
       "typing.Callable[[int]]", "typing.Union[]", "str |", "| str", "str | | int", "None | None",
       "typing.Union | str", "typing.Literal[]", "typing.Literal[foo]", "typing.Literal['a]", "list[str][int]", "True", "...|str", "list [str]",
       "collections.abc.Callable[int, str]", "typing.Hashable[str]", "typing.Any[str]", "str.upper", "haystack.Nope", "list[[int", "tuple[()]",
       "typing.List[typing.Union]", "typing.Union[str, typing.Literal]", "requests.Response", "haystack.dataclasses.document.os",
       "float[int]", "None[int]", "typing.List[str", "dict[str int]", "list[str;int]", "typing.Literal['a' b]", "1", "'str'", "typing.List[]", "haystack.dataclasses.StreamingCallbackT",
       "haystack.dataclasses.StreamingCallbackT | None"]
GOOD = ["list[str,]", "list[ str ]", "dict[str ,int]", "str|int", "str  |  None", " str | int ", "typing.Union[str]", "typing.Optional[None]",
        "typing.Union[int, int]", "typing.Union[None]", "typing.Optional[typing.Optional[str]]", "typing.Union[str, typing.Union[int, None]]",
        "typing.Callable[..., str]", "collections.abc.Callable[..., None]", "typing.Callable[[], str]", "typing.Callable[[int, str | None], None]",
        "Callable[[int],str]", "tuple[int, ...]", "typing.Tuple[int, ...]", "tuple[int, str]", "list[int, str]", "typing.Union[str, int, None]",
        "list[typing.Optional[str]]", "typing.List[str | None]", "typing.List[str | int]", "typing.Dict[str, None]", "dict[str, None]",
        "str | typing.List[int]", "typing.List[int] | None", "None | str", "None | typing.List[str]", "typing.Any | None", "int | int",
        "str | None | typing.List[int]", "typing.Literal['a'] | None", "typing.Literal['a', 'a']", "typing.Literal['a' 'b']", "dict[str, typing.Any]",
        "typing.Dict[str, list[str | None]]", "list[typing.List[str | int]]", "typing.Optional[list[str] | int]", "Ellipsis",
        "typing.Union[typing.List[str | int], str]", "list[None]", "builtins.str", "typing.Type[str]", "type[str]", "Optional[Union[str, int]]",
        "list[str] | list[int] | None", "typing.Callable[[int], typing.Callable[[str], bool]]", "collections.abc.Callable[[list[str | int]], str | None]",
        "typing.Callable[int, str]", "typing.ChainMap[str, int]",
        "typing.Union[str, typing.Literal['*'], None]", "list[...]", "...", "typing.Generator[int, None, str]", "typing.Coroutine[int, str, None]",
        "IOError", "EnvironmentError", "typing.Literal[1, True]", "typing.Literal[True, 1]", "typing.Mapping[str, str | None]"]


def gen(rng, depth):
    if depth <= 0 or rng.random() < 0.3:
        return rng.choice(SCALARS[:12] if rng.random() < 0.4 else SCALARS)
    sub = lambda: gen(rng, depth - 1)  # noqa: E731
    match rng.randrange(11):
        case 0 | 1 | 2:
            return f"{rng.choice(ONE)}[{sub()}]"
        case 3:
            return f"{rng.choice(TWO)}[{sub()}, {sub()}]"
        case 4 | 5:
            return " | ".join(sub() for _ in range(rng.randint(2, 3)))
        case 6:
            return f"{rng.choice(['typing.Union', 'Union'])}[{', '.join(sub() for _ in range(rng.randint(1, 3)))}]"
        case 7:
            return f"typing.Optional[{sub()}]"
        case 8:
            return f"typing.Literal[{', '.join(rng.choice(LITERALS) for _ in range(rng.randint(1, 3)))}]"
        case 9:
            params = "..." if rng.random() < 0.3 else "[" + ", ".join(sub() for _ in range(rng.randint(0, 2))) + "]"
            return f"{rng.choice(['typing.Callable', 'collections.abc.Callable'])}[{params}, {sub()}]"
        case _:
            return rng.choice([rng.choice(BARE), f"tuple[{sub()}, ...]", f"typing.Tuple[{sub()}, {sub()}]", f"tuple[{sub()}]"])


def load(text):
    for clean in typing._cleanups:  # typing caches List[X | Y] under the first order it saw
        clean()
    return deserialize_type(text)


def parse_case(text):
    try:
        t = load(text)
        return {"s": text, "canon": serialize_type(t), "display": _type_name(t)}
    except Exception as e:
        return {"s": text, "error": type(e).__name__}


def related(rng, text):
    """A type near the given one, so that many pairs fit."""
    return rng.choice([
        lambda: text, lambda: f"list[{text}]", lambda: f"typing.List[{text}]", lambda: f"{text} | None", lambda: f"typing.Optional[{text}]",
        lambda: f"{text} | {gen(rng, 1)}", lambda: f"{gen(rng, 1)} | {text}", lambda: text.replace("list[", "collections.abc.Iterable[", 1),
        lambda: text.replace("str", "typing.Any", 1), lambda: text.replace("int", "bool", 1), lambda: text.replace("str", D + "ChatMessage", 1),
        lambda: text.replace(D + "ChatMessage", "str", 1), lambda: text.replace("typing.List", "list"), lambda: text.split("[")[0],
        lambda: text.removeprefix("list[").removesuffix("]"), lambda: "object", lambda: "typing.Any",
    ])()


SIMPLE = ["str", D + "ChatMessage", "list[str]", f"list[{D}ChatMessage]", "str | None", f"{D}ChatMessage | None", f"str | {D}ChatMessage",
          "list[str] | None", f"list[str | {D}ChatMessage]", f"list[{D}ChatMessage] | str", "list[list[str]]", "typing.Any", "int", "list", "list[int]",
          "typing.Optional[str]", f"typing.List[{D}ChatMessage]", "typing.Iterable[str]", "collections.abc.Iterable", "object",
          f"list[{D}ChatMessage] | list[str]", "dict", "dict[str, typing.Any]", "list[typing.Any]", "bool | int", f"list[str] | {D}ChatMessage"]


def pair_case(sender, receiver):
    try:
        s, r = load(sender), load(receiver)
    except Exception:
        return None
    try:
        ok, how = _types_are_compatible(s, r)
        fits, common = _is_compatible(s, r)
        strict = _strict_types_are_compatible(s, r)
    except Exception as e:
        print("raised", sender, receiver, repr(e), file=sys.stderr)
        return None
    return {"sender": sender, "receiver": receiver, "ok": ok, "strict": strict, "conversion": how.value if how else "",
            "common": serialize_type(common) if fits else ""}


def write(path, cases):
    with open(path, "w", encoding="utf-8") as f:
        for c in cases:
            f.write(json.dumps(c, ensure_ascii=False) + "\n")


def main():
    out = sys.argv[1]
    seed, parses, pairs = (int(x) for x in (sys.argv[2:5] or (34, 420, 900)))
    rng = random.Random(seed)
    texts = dict.fromkeys(GOOD + BAD + SCALARS + BARE)
    while len(texts) < parses:
        texts[gen(rng, 3)] = None
    cases = [parse_case(t) for t in texts]
    # Haystack counts brackets and bars inside quotes too and then refuses what it wrote itself; those are left out.
    write(out + "/parse.jsonl", [c for c in cases if "error" not in c or not any(q in c["s"] for q in ("'[y'", "'x]'", "'|'", "a, b"))])
    found = {}
    for s in SIMPLE:
        for r in SIMPLE:
            found[s, r] = pair_case(s, r)
    while len(found) < pairs:
        s = gen(rng, 2)
        r = related(rng, s) if rng.random() < 0.8 else gen(rng, 2)
        if rng.random() < 0.3:
            s, r = r, s
        c = pair_case(s, r)
        if c:
            found[s, r] = c
    write(out + "/pairs.jsonl", [c for c in found.values() if c])


main()
