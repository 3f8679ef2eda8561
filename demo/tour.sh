#!/bin/sh
# Two tenants ask one unchanged pipeline, each with its own key; the operator reads who used what.
set -eu
URL=${URL:-http://127.0.0.1:1416}
PASSWORDS=${PASSWORDS:-.hayward-demo/passwords} # lines of "user password", mode 0600

login() { # USER: prints an access token; the password goes from the file to the request, never through an argument
  sed -n "s/^$1 //p" "$PASSWORDS" | tr -d '\n' |
    curl -sS "$URL/token" --data-urlencode "username=$1" --data-urlencode password@- |
    sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}
call() { # TOKEN PATH [curl's arguments]: prints the server's answer
  token=$1 path=$2
  shift 2
  printf 'Authorization: Bearer %s\n' "$token" | curl -sS --fail-with-body -H @- "$@" "$URL$path"
}
ask() { # TOKEN QUESTION: prints the answer's text
  call "$1" /ask-docs/run -H 'Content-Type: application/json' -d "{\"query\": \"$2\"}" |
    sed -n 's/.*"data":"\([^"]*\)".*/\1/p'
}
used() { # TOKEN TENANT: prints which secret the tenant's last run used, from which layer, and where it went
  id=$(call "$1" /api/v1/tenants | tr '{' '\n' | sed -n "s/.*\"id\":\"\([^\"]*\)\",\"slug\":\"$2\".*/\1/p")
  call "$1" "/api/v1/audit?tenant=$id&action=pipeline.run&key=ask-docs&outcome=ok&limit=1" |
    sed -n "s/.*\"secret\",\"\([^\"]*\)\".*/$2: \1/p"
}
show() { # TEXT: prints it, and ends the tour when there is none
  [ -n "$1" ] || { echo "the server gave no answer to this call" >&2; exit 1; }
  printf '%s\n' "$1"
}

acme=$(login ann) # ann works for acme
show "$(ask "$acme" 'What is a data race?')"
#> An implementation may always react to a data race by reporting the race and terminating the program.

globex=$(login gus) # gus works for globex
show "$(ask "$globex" 'What is the array underlying a slice?')"
#> The array underlying a slice may extend past the end of the slice.

operator=$(login operator) # belongs to no tenant, and reads no secret
show "$(used "$operator" acme)"
#> acme: OPENAI_API_KEY from tenant vault to http://127.0.0.1:11435 for llm
show "$(used "$operator" globex)"
#> globex: OPENAI_API_KEY from tenant vault to http://127.0.0.1:11435 for llm
