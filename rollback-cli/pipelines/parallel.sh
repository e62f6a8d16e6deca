#!/bin/sh
# A rehearsal with GNU parallel, in the current folder: parallel.sh RANGE [SHARDS [OPTION…]]
#
#   parallel.sh v1.4..v1.5 4 --onto v1.5 --check 'make test'
#
# Options go to every shard. With PARALLEL='--sshlogin a,b --workdir /clone' the shards run on other machines, where the
# same repository lies at /clone.
set -eu
RANGE=$1
SHARDS=${2:-$(nproc)}
[ $# -lt 2 ] && shift || shift 2
PARTS=$(mktemp -d)
trap 'rm -rf "$PARTS"' EXIT
# Each job prints its lines; parallel collects them without mixing two jobs.
seq "$SHARDS" | parallel --halt now,fail=1 --quote rb rehearse "$RANGE" --shard "{}/$SHARDS" --jobs 1 --json "$@" > "$PARTS/parts.jsonl"
rb rehearse --merge "$PARTS/parts.jsonl" --min-revertible "${LEAST:-0}"
