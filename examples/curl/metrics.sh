#!/bin/sh
# Prints the curves of an experiment as CSV.
#   metrics.sh ID                   validation perplexity
#   metrics.sh ID trainPerplexity,learningRate
set -eu
server=${GATELM:-http://127.0.0.1:8080}

curl -sS --fail-with-body "$server/experiments/$1/metrics?format=csv&keys=${2:-validPerplexity}"
