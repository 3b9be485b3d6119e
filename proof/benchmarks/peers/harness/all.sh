#!/bin/sh
# Everything once, in order; each part is allowed to fail alone.
cd "$(dirname "$0")" || exit 1
for f in floor restate dbos queues langgraph openworkflow workflow; do node "$f.mjs" || echo "$f failed"; done
node report.mjs
