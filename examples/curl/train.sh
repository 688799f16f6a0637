#!/bin/sh
# Starts an experiment and prints its id.
#   train.sh                                                  the starter model on the embedded corpus
#   train.sh '{"preset":"rnnlm","corpus":"ptb"}'              any config
set -eu
server=${GATELM:-http://127.0.0.1:8080}
config=${1:-'{"preset":"starter","corpus":"handbook"}'}

answer=$(curl -sS -X POST "$server/experiments" -H 'content-type: application/json' -d "$config")
id=$(printf '%s' "$answer" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p')
if [ -z "$id" ]; then
  printf '%s\n' "$answer" >&2
  exit 1
fi
echo "$id"
