#!/bin/sh
# gitmemo-hook @VERSION@: @HOOK@
# @SUMMARY@
# GITMEMO_SKIP=1 skips it once, `gitmemo hook uninstall` removes it.
# One text serves for every hook, so that each works alone: wherever it is copied to.

HOOK=@HOOK@
PYTHON=@PYTHON@

# A hook that was here before runs first. Before something happens its verdict
# counts at once, afterwards it is what we end with. It may itself call us again
# (the pre-commit framework keeps a `pre-commit.legacy`): that is told by the variable.
[ "${GITMEMO_IN_HOOK-}" = "$HOOK:$PWD" ] && exit 0
status=0
case $HOOK in pre-push | post-rewrite)
    # Git says here what it is about, once; the earlier hook and ours both need it.
    input=$(cat && echo .)
    input=${input%.}
    ;;
esac
previous=${0%/*}/$HOOK.before-gitmemo
# The framework refuses to run inside itself: there it was installed before us and after us.
if [ -x "$previous" ] &&
    ! { [ -n "${PRE_COMMIT_RUNNING_LEGACY-}" ] && grep -q 'https://pre-commit\.com' "$previous"; }
then
    case $HOOK in
    pre-push | post-rewrite)
        printf %s "$input" 2>/dev/null | GITMEMO_IN_HOOK=$HOOK:$PWD "$previous" "$@" || status=$?
        ;;
    *) GITMEMO_IN_HOOK=$HOOK:$PWD "$previous" "$@" || status=$? ;;
    esac
fi
case $HOOK in pre-*) [ "$status" = 0 ] || exit "$status" ;; esac

[ "${GITMEMO_SKIP-}" = 1 ] && exit "$status"
# Git runs hooks at the top of the work tree.
[ -f .gitmemo/config.toml ] || exit "$status"

# Most of the time there is nothing to do for gitmemo; what follows finds that out
# without starting Python. The names are those of gitmemo.git.repository.Layout.

git_dir=.git common_dir=.git worktree=main
if [ -n "${GIT_DIR-}" ] || [ ! -d .git ]; then
    git_dir=$(git rev-parse --absolute-git-dir) || exit "$status"
    common_dir=$git_dir
    if [ -f "$git_dir/commondir" ]; then
        common_dir=$(git rev-parse --git-common-dir)
        worktree=${git_dir##*/}
        case $worktree in main | exported) worktree=$worktree.linked ;; esac
    fi
fi

# Whether a journal of this work tree holds more than what is noted to be committed.
is_pending() {
    for journal in "$common_dir/gitmemo/journal/$worktree"/*.jsonl; do
        [ -s "$journal" ] || continue
        note=${journal%.jsonl}.exported
        committed=0
        [ -f "$note" ] && read -r committed <"$note"
        size=$(wc -c <"$journal")
        # A note that is not a number says nothing.
        [ "$committed" -ge $size ] 2>/dev/null || return 0
    done
    return 1
}

# Whether HEAD brought a segment that is not in the work tree: the hook before a
# commit puts it into the index only.
is_unwritten() {
    added=$(git diff-tree --root -m -r --no-commit-id --name-only --diff-filter=A \
        HEAD -- .gitmemo/index)
    [ -n "$added" ] || return 1
    while IFS= read -r segment; do [ -e "$segment" ] || return 0; done <<LINES
$added
LINES
    return 1
}

# Whether code is staged that stored calls may depend on, or what else is asked for.
is_code_staged() {
    if [ ! -d .gitmemo/index ]; then is_pending || return 1; fi
    ! git diff --cached --quiet --no-ext-diff --ignore-submodules -- '*.py' '*.ipynb' "$@"
}

# Whether the results of $2 are others than those of $1, and some may be on a remote only.
is_arriving() {
    has_remote=
    while IFS= read -r line; do case $line in *remotes*) has_remote=yes ;; esac; done \
        <.gitmemo/config.toml
    [ -n "$has_remote" ] || return 1
    new=$(git rev-parse -q --verify "$2:.gitmemo/index") || return 1
    [ "$new" != "$(git rev-parse -q --verify "$1:.gitmemo/index")" ]
}

# Whether git is in the middle of steps that are not for people to look at.
is_in_steps() {
    [ -d "$git_dir/rebase-merge" ] || [ -d "$git_dir/rebase-apply" ] ||
        [ -f "$git_dir/BISECT_LOG" ] || [ -f "$git_dir/CHERRY_PICK_HEAD" ] ||
        [ -f "$git_dir/REVERT_HEAD" ] || [ -d "$git_dir/sequencer" ]
}

# Whether anything is pushed but deletions and what gitmemo itself pushes.
is_anything_pushed() {
    pushed=1
    while read -r local_ref local_id remote_ref _; do
        case $local_id in *[!0]*) ;; *) continue ;; esac
        case $remote_ref in refs/gitmemo/*) ;; *) pushed=0 ;; esac
    done <<LINES
$input
LINES
    return $pushed
}

is_needed() {
    case $HOOK in
    # Segments that somebody else stages, as in a merge by hand, are looked at.
    pre-commit) is_pending || is_code_staged .gitmemo/index ;;
    # What is staged here would not become part of the merge: it is only decided.
    pre-merge-commit) is_code_staged ;;
    post-commit) is_unwritten || { ! is_in_steps && is_pending; } ;;
    post-checkout)
        # `git checkout FILE` changes no world; the first step of a rebase shows in the reflog only.
        [ "${3-}" = 1 ] && ! is_in_steps && is_arriving "$1" "$2" || return 1
        case $(git log -g -1 --format=%gs HEAD -- 2>/dev/null) in rebase*) return 1 ;; esac
        ;;
    post-merge) is_arriving ORIG_HEAD HEAD ;;
    post-rewrite)
        if [ "${1-}" = rebase ]; then
            is_unwritten || is_pending || is_arriving ORIG_HEAD HEAD
        else
            is_unwritten # after `git commit --amend`, post-commit has done the rest
        fi
        ;;
    pre-push)
        is_anything_pushed || return 1
        is_pending || git rev-parse -q --verify HEAD:.gitmemo/index >/dev/null
        ;;
    *) return 1 ;;
    esac
}

run() {
    case $HOOK in
    pre-push | post-rewrite) printf %s "$input" 2>/dev/null | "$@" ;;
    *) "$@" ;;
    esac
}

# A refusal is 3 or 130. Whatever else goes wrong must not cost anybody a commit.
finish() {
    case $HOOK:$1 in pre-commit:3 | pre-merge-commit:3 | *:130) exit "$1" ;; esac
    [ "$1" = 0 ] || echo "gitmemo: $HOOK failed; git goes on without it" >&2
    exit "$status"
}

# Leave out of PYTHONPATH what Python would take for the folder of the repository: entries that are
# empty or relative. (`;` and `\`: on Windows, where drives have a colon.)
clean_path() {
    case ${PYTHONPATH-} in '' | *[\;\\]*) return ;; esac
    entries=$PYTHONPATH: PYTHONPATH=
    while [ -n "$entries" ]; do
        entry=${entries%%:*} entries=${entries#*:}
        case $entry in /*) PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$entry ;; esac
    done
    [ -n "$PYTHONPATH" ] || unset PYTHONPATH
}

is_needed "$@" || exit "$status"
clean_path

if [ -x "$PYTHON" ]; then
    # -P: the folder of the repository is not where modules come from.
    run "$PYTHON" -P -m gitmemo hook run "$HOOK" "$@"
    code=$?
    [ $code != 1 ] || ! "$PYTHON" -P -c \
        'import importlib.util, sys; sys.exit(importlib.util.find_spec("gitmemo") is None)' \
        2>/dev/null || finish $code
    [ $code = 1 ] || finish $code
fi
if command -v gitmemo >/dev/null 2>&1; then
    run gitmemo hook run "$HOOK" "$@"
    finish $?
fi
echo "gitmemo: not installed in $PYTHON, so git goes on without it;" \
    "run 'gitmemo hook install' to repair" >&2
exit "$status"
