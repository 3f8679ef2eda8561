#!/bin/sh
# Differential fuzzing against the Python originals: makes random cases, seed after seed, and compares, for so many minutes.
#
#   conformance/oracle/differential.sh templates|yaml|types MINUTES [FIRST-SEED]
#
# Prints a line per round and a sum. Differences are printed as the package's tests print them; the exit code is then 1. The
# Python is HAYWARD_ORACLE_PYTHON, or the one .ci/run installed.
set -eu
cd "$(dirname "$0")/../.."
what="${1:?templates, yaml or types}" minutes="${2:?minutes}" seed="${3:-1000}"
python="${HAYWARD_ORACLE_PYTHON:-.oracle/bin/python}"
export HAYSTACK_TELEMETRY_ENABLED=False PYTHONUTF8=1 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 TZ=UTC
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
case "$what" in
  templates) package=pipeline/jinja run=TestDifferential ;;
  yaml) package=pipeline/pyyaml run=. ;;
  types) package=pipeline/pytype run=. ;;
  *) echo "there is no $what: templates, yaml or types" >&2; exit 2 ;;
esac
go test -c -o "$work/test" "./$package"
echo "commit $(git rev-parse --short HEAD), $what, from seed $seed, for $minutes minutes"
broken() {
  echo "seed $seed: no cases were made:"
  tail "$work/err"
  exit 1
}
end=$(($(date +%s) + minutes * 60)) rounds=0 cases=0 different=0
while [ "$(date +%s)" -lt "$end" ]; do
  made="$work/cases"
  rm -rf "$made" && mkdir "$made"
  case "$what" in
    templates)
      "$python" -W ignore conformance/oracle/jinja_fuzz.py "$seed" 3000 > "$made/cases.json" 2> "$work/err" || broken
      n=3000
      export HAYWARD_JINJA_CASES="$made/cases.json" ;;
    yaml)
      "$python" -W ignore conformance/oracle/yaml_cases.py "$made" "$seed" 12000 6000 2> "$work/err" || broken
      n=$(cat "$made"/*.jsonl | wc -l)
      export PYYAML_GOLDEN="$made" ;;
    types)
      "$python" -W ignore conformance/oracle/type_cases.py "$made" "$seed" 6000 12000 2> "$work/err" || broken
      n=$(cat "$made"/*.jsonl | wc -l)
      export PYTYPE_GOLDEN="$made" ;;
  esac
  if ! (cd "$package" && "$work/test" -test.run "$run" -test.count 1) > "$work/out" 2>&1; then
    different=$((different + 1))
    echo "seed $seed:"
    grep -v -e '^PASS' -e '^FAIL' "$work/out" | head -60
  fi
  rounds=$((rounds + 1)) cases=$((cases + n)) seed=$((seed + 1))
done
echo "$rounds rounds, $cases cases, $different rounds with a difference"
[ "$different" = 0 ]
