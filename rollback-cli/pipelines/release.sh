#!/bin/sh
# A rollback by a release pipeline, from a clone of any depth: release.sh PROCEDURE SAMPLES COMMIT CHECK [MOST-PATHS]
#
#   release.sh gate samples.jsonl "$DEPLOYED" 'make smoke' 20
#
# Evaluates, plans, refuses what is too much, lands on a branch what the check passes, pushes that, opens a pull request,
# verifies and reports. Run again it finds what is there. Ends with 0, or as the first command that refuses.
set -eu
change=$3 branch=rollback/$(git rev-parse --short=12 "$3") most=${5:-20}
rb evaluate "$1" --samples "$2" --at newest && exit 0 || [ $? -eq 10 ]  # 10: it is time
test "$(git rev-parse --is-shallow-repository)" = false || git fetch -q --unshallow origin
git fetch -q origin "+refs/heads/*:refs/remotes/origin/*"
if rb -q is-reverted "$change" --in "origin/$branch" 2>/dev/null; then exit 0; fi  # an earlier run has pushed it
if rb -q is-reverted "$change" --in "$branch" 2>/dev/null; then                    # an earlier run was not let
    rb publish --push=origin --branch "$branch" --pr
else
    rb revert "$change" --dry-run --json > plan.json
    jq -e --argjson most "$most" '.attempts[.chosen] | .loss.class != "snapshot" and (.paths_touched | length) <= $most' plan.json
    rb apply plan.json --branch "$branch" --check "$4" --push=origin --pr
fi
git fetch -q origin "+refs/heads/$branch:refs/remotes/origin/$branch"
rb is-reverted "$change" --in "origin/$branch"                          # by what the remote has now
rb report -o report.html
