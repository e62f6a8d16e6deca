#!/usr/bin/env bash
# A gate: with COMMITS (ids, by blanks or line ends) asks whether all of them are undone in REF; with PROCEDURE and SAMPLES
# whether it is time for the procedure. Ends as rb does: 0 passes, 10 does not, 7 the samples cannot tell.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

code=0
if [ -n "${COMMITS:-}" ]; then
    for id in $COMMITS; do
        [[ $id =~ ^[0-9a-fA-F]{7,64}$ ]] || fail 2 "'$id' is not the id of a commit"
    done
    case ${REF:-HEAD} in -*) fail 2 "'$REF' is no revision" ;; esac
    tr -s '[:space:]' '\n' <<<"$COMMITS" | sed '/^$/d' | rb is-reverted --stdin --in "${REF:-HEAD}" || code=$?
elif [ -n "${PROCEDURE:-}" ] && [ -n "${SAMPLES:-}" ]; then
    case $PROCEDURE in -*) fail 2 "'$PROCEDURE' is no procedure" ;; esac
    rb evaluate --samples "$SAMPLES" --format github -- "$PROCEDURE" || code=$?
else
    fail 2 "a gate needs commits, or a procedure and samples"
fi
case $code in
0) output status passed ;;
10) output status stopped ;;
*) output status undecided ;;
esac
exit "$code"
