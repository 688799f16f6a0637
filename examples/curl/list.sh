#!/bin/sh
# Lists experiments, the newest first: id, state, name.
#   list.sh                         all
#   list.sh 'state=succeeded&sort=validPerplexity'
set -eu
server=${GATELM:-http://127.0.0.1:8080}

answer=$(curl -sS --fail-with-body "$server/experiments?${1:-}") || { printf '%s\n' "$answer" >&2; exit 1; }
printf '%s' "$answer" | node -e '
  const { items } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  for (const { id, state, name } of items) console.log([id, state, name].join("  "));'
