# What the scripts of the Action share. It is sourced; inputs come from the environment alone, and nothing that a script
# was given is ever run as shell text but CHECK, which the workflow's own file says.
# shellcheck shell=bash
set -euo pipefail

say() { printf 'rb: %s\n' "$*" >&2; }

# fail CODE TEXT: the exit codes are rb's (2 usage, 5 a precondition does not hold, 6 consent is not given).
fail() {
    local code=$1
    shift
    output status refused
    # On standard error, because a function that fails can stand in a substitution.
    printf '::error::%s\n' "$(one_line "$*")" >&2
    exit "$code"
}

# A text without line ends and control characters: a line of a workflow's log that begins with :: is a command.
one_line() { printf '%s' "$*" | tr -d '\000-\037\177' | sed 's/::/: :/g' | cut -c1-400; }

# output NAME VALUE: what later steps of the workflow read. The value is one line.
output() {
    [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s=%s\n' "$1" "$(one_line "$2")" >>"$GITHUB_OUTPUT"
}


# A branch as git allows it, and nothing that could be taken for an option.
branch_name() {
    case $1 in -* | "") fail 2 "'$1' is no name of a branch" ;; esac
    git check-ref-format "refs/heads/$1" || fail 2 "'$1' is no name of a branch"
}

# The remote's branch, as it is now, with its whole history; what is checked out does not matter.
fetch_base() {
    branch_name "${BASE:-}"
    local deepen=()
    [ "$(git rev-parse --is-shallow-repository)" = false ] || deepen=(--unshallow)
    git -c core.hooksPath=/dev/null fetch --quiet --no-tags ${deepen[@]+"${deepen[@]}"} origin "+refs/heads/$BASE:refs/remotes/origin/$BASE" ||
        fail 5 "the branch $BASE of origin cannot be fetched"
    TIP=$(git rev-parse --verify --quiet "refs/remotes/origin/$BASE^{commit}")
}

# The full id of a commit that the branch has; commits of forks can be fetched from a forge, and are not in it.
commit_of_base() {
    local id
    [[ $1 =~ ^[0-9a-fA-F]{7,64}$ ]] || fail 2 "'$1' is not the id of a commit"
    id=$(git rev-parse --verify --quiet "$1^{commit}") || fail 5 "there is no commit $1 in $BASE"
    git merge-base --is-ancestor "$id" "$TIP" || fail 5 "$1 is not a commit of $BASE"
    printf '%s' "$id"
}

# The command of a workflow as a check of rb, which starts programs and no shell.
as_check() { printf "sh -c '%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# The output of programs that print what commits and checks say: a line of a log that begins with :: is a command.
harmless() { sed -u 's/::/: :/g' >&2; }
