#!/usr/bin/env bash
# Finds the change that broke BASE between GOOD and BAD with CHECK, which a shell runs in folders of
# its own, without the workflow's tokens. Output: `target`, the commit.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ -n "${CHECK:-}" ] || fail 2 "the input check is missing: the command that fails"
fetch_base
good=$(commit_of_base "${GOOD:-}")
bad=$(commit_of_base "${BAD:-}")
[ "$good" != "$bad" ] || fail 5 "there is no change between the good commit and the bad one"
git merge-base --is-ancestor "$good" "$bad" || fail 5 "no change leads from ${good:0:12} to ${bad:0:12}"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# rb looks at both ends, and inside the merge that turned bad.
code=0
env -u GH_TOKEN -u GITHUB_TOKEN rb bisect --check "$(as_check "$CHECK")" --good "$good" --bad "$bad" --json \
    2> >(harmless) >"$folder/found.json" || code=$?
[ "$code" = 0 ] || fail "$code" "$(jq -r '.error.message // "the check cannot tell which change it was"' "$folder/found.json")"
culprit=$(jq -r .culprit.commit_id "$folder/found.json")
say "broken since: $(one_line "$(git log -1 --format='%h %s' "$culprit")")"
output target "$culprit"
output status found
