"""Lists the component classes of the haystack package in a folder, without importing it.

    component_names.py SITE-PACKAGES-OR-UNPACKED-WHEEL ...

pipeline/components/testdata/gone.txt holds what 2.6.1 and 2.31.0 list and 3.4.0 does not.
"""

import ast
import pathlib
import sys


def decorated(node):
    for d in node.decorator_list:
        target = d.func if isinstance(d, ast.Call) else d
        if getattr(target, "id", getattr(target, "attr", "")) in ("component", "super_component"):
            return True
    return False


def names(folder):
    root = pathlib.Path(folder) / "haystack"
    for path in root.rglob("*.py"):
        module = ".".join(("haystack", *path.relative_to(root).with_suffix("").parts))
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and decorated(node):
                yield module + "." + node.name


print("\n".join(sorted({n for folder in sys.argv[1:] for n in names(folder)})))
