#!/bin/sh
# The entire way: train, follow, generate.
#   main-path.sh                    the starter model on the embedded corpus, about two minutes
#   main-path.sh CONFIG             any config, as JSON
set -eu
here=$(dirname "$0")

id=$("$here/train.sh" "$@")
"$here/watch.sh" "$id" | grep -e '"type":"epoch"' -e '"type":"succeeded"'
"$here/generate.sh" "$id"
