#!/bin/sh
# W1 and W2 of the engines back to back, ROUNDS times, so that they share the state of the disk and the neighbours.
cd "$(dirname "$0")" || exit 1
i=0
while [ "$i" -lt "${ROUNDS:-2}" ]; do
  ONLY=fdatasync node floor.mjs
  ONLY=W1,W2 W1_N=2000 node restate.mjs
  ONLY=W1,W2 W1_N=1000 node dbos.mjs
  ONLY=W1,W2 W1_N=400 node openworkflow.mjs
  ONLY=W1,W2 W1_N=200 node workflow.mjs
  i=$((i + 1))
done
node report.mjs
