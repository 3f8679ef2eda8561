#!/bin/sh
# Remakes every golden file that the Python originals wrote. Each script says its own command at its top; a test holds
# this list complete. The Python is HAYWARD_ORACLE_PYTHON, or the one .ci/run installed, or python3.
set -eu
cd "$(dirname "$0")/../.."
python="${HAYWARD_ORACLE_PYTHON:-}"
if [ -z "$python" ]; then
  python=python3
  [ ! -x .oracle/bin/python ] || python=.oracle/bin/python
fi
export HAYSTACK_TELEMETRY_ENABLED=False PYTHONUTF8=1 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 TZ=UTC

"$python" - <<'CHECK'
import importlib.metadata, sys
if sys.version_info[:2] != (3, 11):
    sys.exit(f"the golden files come from Python 3.11, not {sys.version.split()[0]}: its Unicode tables and messages differ")
wrong = []
for line in open("conformance/oracle/requirements.txt"):
    name, _, version = line.partition("#")[0].strip().partition("==")
    try:
        if name and importlib.metadata.version(name) != version:
            wrong.append(f"{name}=={version}")
    except importlib.metadata.PackageNotFoundError:
        wrong.append(f"{name}=={version}")
if wrong:
    sys.exit("the golden files need: pip install " + " ".join(wrong))
CHECK

make() { echo "$1"; "$python" -W ignore "conformance/oracle/$@"; }

make values.py pipeline/value
make dataclasses_cases.py pipeline/document/testdata pipeline/chat/testdata
make type_cases.py pipeline/pytype/testdata
make yaml_cases.py pipeline/pyyaml/testdata
make schedule_cases.py pipeline/testdata/schedule.jsonl 100000 600
make snapshot_cases.py pipeline/testdata/schedule.jsonl pipeline/testdata/snapshots.jsonl
make yaml_kinds_cases.py conformance/yaml conformance/yaml/expected3.json 3
make mermaid_cases.py pipeline/draw/testdata/*.yml
make indexing_cases.py conformance/testdata/indexing.jsonl
make html_pages.py conformance/testdata/html.jsonl conformance/testdata/html/*.html

# These print what they make; a script that fails leaves the file as it was.
printed="$(mktemp)"
trap 'rm -f "$printed"' EXIT
into() {
  file="$1"
  echo "$2"
  # shellcheck disable=SC2086 # a script and its arguments
  "$python" -W ignore conformance/oracle/$2 > "$printed"
  case "$file" in *.go) gofmt "$printed" > "$file" ;; *.gz) gzip -9n < "$printed" > "$file" ;; *) cat "$printed" > "$file" ;; esac
}
into pipeline/pytype/classes_table.go type_classes.py
into pipeline/value/casing_table.go casing.py
into pipeline/jinja/testdata/cases.json jinja_cases.py
into pipeline/jinja/chatext/testdata/cases.json chat_template_cases.py
into pipeline/jinja/testdata/calls.json.gz jinja_calls.py
into pipeline/jinja/codecs_table.go codecs_table.py
into pipeline/jinja/private_table.go private_table.py
into pipeline/components/testdata/table.json component_table.py

# Haystack 2 needs a Python of its own: python3 -m venv .oracle2 && .oracle2/bin/pip install -r conformance/oracle/requirements-2.txt
python="${HAYWARD_ORACLE2_PYTHON:-.oracle2/bin/python}"
if [ -x "$python" ]; then
  "$python" -c 'import haystack, sys; sys.exit(haystack.__version__ != "2.31.0" and "haystack-ai is not 2.31.0")'
  into pipeline/components/testdata/table2.json "component_table.py 2"
  make yaml_kinds_cases.py conformance/yaml conformance/yaml/expected2.json 2
else
  echo "left out, for want of Haystack 2: pipeline/components/testdata/table2.json, conformance/yaml/expected2.json"
fi
