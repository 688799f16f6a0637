#!/bin/sh
# Writes text.
#   generate.sh                     from the best model
#   generate.sh ID                  from the model of one experiment
#   generate.sh ID 'The server'     going on from a prompt
set -eu
server=${GATELM:-http://127.0.0.1:8080}

set -- "${1:+experiment=$1}" "prompt=${2:-}"
curl -sS --fail-with-body -G -H 'accept: text/plain' "$server/generate" \
  ${1:+-d "$1"} --data-urlencode "$2" -d maxTokens=60 -d temperature=0.7 -d topK=40
echo
