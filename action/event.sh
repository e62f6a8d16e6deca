#!/usr/bin/env bash
# Reads the event and decides who asks for what: outputs `status` (asked, ignored, refused), `target` (a path, a commit or a
# range), `base`, `reason` and, where the default branch broke, `good` and `bad`. Of a pull request only facts that the
# forge itself vouches for are used: that it was merged, and as which commit. Its title, branch and files are not.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

field() { jq -r "$1 // empty" "$GITHUB_EVENT_PATH"; }

ignore() {
    say "nothing to do: $*"
    output status ignored
    exit 0
}

# Who may ask: who may write to the repository, as the forge says now. What the event says of its author (MEMBER, …) tells
# of an organisation, not of this repository.
may_write() {
    local login=$1 role
    [[ $login =~ ^[A-Za-z0-9]([A-Za-z0-9-]{0,38})$ ]] || fail 6 "'$login' may not ask for a rollback"
    role=$(gh api "repos/$GITHUB_REPOSITORY/collaborators/$login/permission" --jq '.role_name // .permission') || role=none
    case $role in
    admin | maintain | write) ;;
    *) fail 6 "@$login may not write to $GITHUB_REPOSITORY, and so may not ask for a rollback" ;;
    esac
}

asked() { # target
    # Outputs are cut and cleaned; a target that this would change is another one.
    [ "$(one_line "$1")" = "$1" ] || fail 2 "the target is too long, or has characters that no log may have"
    output target "$1"
    output base "$BASE"
    output status asked
    say "asked for: $(one_line "$1")"
}

by_comment() {
    local body author
    body=$(field .comment.body | head -n 1 | tr -d '\r')
    [[ $body =~ ^/rollback([[:space:]]|$) ]] || ignore "the comment is no /rollback"
    # An edit keeps the author's name over the text of whoever edited.
    [ "$(field .action)" = created ] || fail 6 "only a new comment counts, not one that was edited"
    author=$(field .comment.user.login)
    [ "$author" = "$(field .sender.login)" ] || fail 6 "the comment is not by its sender"
    may_write "$author"
    local target=${body#/rollback}
    target=$(printf '%s' "$target" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
    [ -n "$target" ] || fail 2 "say what to roll back: /rollback PATH, /rollback COMMIT or /rollback A..B"
    output reason "Asked for by @$author in a comment on #$(field .issue.number)."
    asked "$target"
}

by_label() {
    [ "$(field .action):$(field .label.name)" = "labeled:$LABEL" ] || ignore "the label is not $LABEL"
    [ "$(field .pull_request.merged)" = true ] || fail 6 "the pull request is not merged: there is nothing to roll back"
    [ "$(field .pull_request.base.repo.full_name):$(field .pull_request.base.ref)" = "$GITHUB_REPOSITORY:$BASE" ] ||
        fail 5 "the pull request was not merged into $BASE"
    may_write "$(field .sender.login)"
    output reason "Asked for by @$(field .sender.login) with the label $LABEL on #$(field .pull_request.number)."
    asked "$(field .pull_request.merge_commit_sha)"
}

# A forge that is pushed to tells the range; of a workflow that ended it tells the commit alone, and the last success is
# asked for.
broken() {
    local good=$1 bad=$2
    [[ $bad =~ ^[0-9a-f]{40,64}$ ]] || fail 5 "the event names no commit"
    [[ $good =~ ^[0-9a-f]{40,64}$ && ! $good =~ ^0+$ ]] || fail 5 "no good commit is known: name one with the input good"
    output good "$good"
    output bad "$bad"
    output base "$BASE"
    output reason "$BASE broke: the check passes before this change and fails with it."
    output status asked
    say "to bisect: ${good:0:12}..${bad:0:12}"
}

by_push() {
    [ "$(field .ref)" = "refs/heads/$BASE" ] || ignore "the push was not to $BASE"
    [ "$(field .forced)" != true ] || fail 5 "a forced push has no range that can be bisected"
    [ "$(field .deleted)" != true ] || ignore "the branch was deleted"
    broken "${GOOD:-$(field .before)}" "$(field .after)"
}

by_workflow() {
    [ "$(field .workflow_run.conclusion)" = failure ] || ignore "the workflow did not fail"
    # A fork can call its branch main, too: then the run is of a pull request, and of another repository.
    [ "$(field .workflow_run.event)" = push ] || ignore "the workflow did not run for a push"
    [ "$(field .workflow_run.head_repository.full_name)" = "$GITHUB_REPOSITORY" ] ||
        fail 6 "the workflow ran for another repository"
    [ "$(field .workflow_run.head_branch)" = "$BASE" ] || ignore "the workflow ran for another branch than $BASE"
    local good=${GOOD:-} workflow
    workflow=$(field .workflow_run.workflow_id)
    [[ $workflow =~ ^[0-9]+$ ]] || fail 5 "the event names no workflow"
    [ -n "$good" ] || good=$(gh api --method GET "repos/$GITHUB_REPOSITORY/actions/workflows/$workflow/runs" -f "branch=$BASE" \
        -f event=push -f status=success -f per_page=1 --jq '.workflow_runs[0].head_sha // empty')
    broken "$good" "$(field .workflow_run.head_sha)"
}

[ "$(field .repository.full_name)" = "$GITHUB_REPOSITORY" ] || fail 6 "the event is of another repository"
BASE=${BASE:-$(field .repository.default_branch)}
LABEL=${LABEL:-rollback}
branch_name "$BASE"

# Each mode has its events; another one says nothing to it.
case $MODE:$GITHUB_EVENT_NAME in
rollback:issue_comment) by_comment ;;
rollback:pull_request | rollback:pull_request_target) by_label ;;
rollback:workflow_dispatch)
    # The forge lets only those dispatch who may write.
    output reason "Asked for by @$(field .sender.login)."
    asked "$(field .inputs.target)"
    ;;
auto-revert:push | bisect:push) by_push ;;
auto-revert:workflow_run | bisect:workflow_run) by_workflow ;;
*) fail 2 "the mode $MODE knows nothing of the event $(one_line "$GITHUB_EVENT_NAME")" ;;
esac
