#!/usr/bin/env bash
# A shard of a rehearsal of RANGE, or, without SHARD and with PARTS, what joins the shards. Writes part-I.jsonl, or
# rehearsal.html, into the current folder.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [ -n "${PARTS:-}" ]; then
    shopt -s nullglob
    parts=("$PARTS"/part-*.jsonl)
    [ ${#parts[@]} -gt 0 ] || fail 5 "no shard has left a part in $PARTS"
    rb report --rehearsal "${parts[@]}" -o rehearsal.html
    rb rehearse --merge "${parts[@]}" --min-revertible "${MIN_REVERTIBLE:-0}"
    exit
fi
[[ ${SHARD:-1/1} =~ ^([0-9]+)/[0-9]+$ ]] || fail 2 "'$SHARD' is no shard, such as 2/4"
part=part-${BASH_REMATCH[1]}.jsonl
for revision in "${RANGE:-}" "${ONTO:-HEAD}"; do
    case $revision in -* | "") fail 2 "'$revision' is no revision: the inputs range and onto" ;; esac
done
options=(--onto "${ONTO:-HEAD}" --shard "${SHARD:-1/1}")
[ -z "${CHECK:-}" ] || options+=(--check "$(as_check "$CHECK")")
env -u GH_TOKEN -u GITHUB_TOKEN rb rehearse "$RANGE" "${options[@]}" --json >"$part"
say "$part: $(wc -l <"$part") changes"
output part "$part"
