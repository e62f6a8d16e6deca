//! Every setting that counts: keys of the configuration and variables of the environment, what each is for, and what holds
//! where it is not set. `rb config` and the manual pages are made from these tables.

/// A key of the configuration, or a variable of the environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its name; `<name>` stands for any.
    pub(crate) name: &'static str,
    /// What holds where it is not set.
    pub(crate) default: &'static str,
    /// What it is for, as a fragment.
    pub(crate) about: &'static str,
}

const fn setting(name: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting { name, default, about }
}

/// The keys of rb's own.
pub(crate) const OWN_KEYS: &[Setting] = &[
    setting("rb.blobLimit", "512m", "the largest object that is held in memory whole, in bytes"),
    setting("rb.crossCheck", "false", "whether the installed git merges too before anything lands"),
    setting("rb.forge", "", "github or gitlab: whose program --pr starts where the host does not tell"),
    setting("rb.gitVersion", "the installed git's", "the release of git whose merges are followed"),
    setting("rb.onConflict", "refuse", "what becomes of a conflict: refuse or stop"),
    setting(
        "rb.programTimeout",
        "600",
        "after how many seconds a hook, a filter, a push or a fetch is stopped",
    ),
];

/// The keys of git's that count.
pub(crate) const GIT_KEYS: &[Setting] = &[
    setting("author.email", "", "the address of the author, before user.email"),
    setting("author.name", "", "the name of the author, before user.name"),
    setting("branch.<name>.merge", "", "the upstream of a branch, and the base of its pull request"),
    setting("branch.<name>.pushRemote", "", "the remote that --push pushes a branch to"),
    setting("branch.<name>.remote", "", "the remote of the upstream, pushed to where no other is named"),
    setting("color.ui", "auto", "when there is colour: auto, always or never"),
    setting("commit.cleanup", "default", "how a message that was edited is cleaned up"),
    setting("commit.gpgSign", "false", "whether commits are signed"),
    setting("committer.email", "", "the address of the committer, before user.email"),
    setting("committer.name", "", "the name of the committer, before user.name"),
    setting("core.abbrev", "auto", "how many digits of an id are shown"),
    setting("core.attributesFile", "$XDG_CONFIG_HOME/git/attributes", "the user's own attributes"),
    setting("core.autocrlf", "false", "how line ends are converted"),
    setting(
        "core.bigFileThreshold",
        "512m",
        "from which size on content is moved in pieces and not compared",
    ),
    setting("core.checkStat", "default", "which fields of a file tell that it changed"),
    setting("core.commentChar", "#", "how lines begin that are no part of a message; core.commentString too"),
    setting("core.editor", "vi", "the editor of messages, before VISUAL and EDITOR"),
    setting("core.eol", "native", "the line end of text in the work tree"),
    setting("core.fileMode", "true", "whether the executable bit of a file means something"),
    setting("core.fsync", "committed", "what is flushed to the disk"),
    setting(
        "core.hooksPath",
        "$GIT_DIR/hooks",
        "the folder of hooks; whose word it is decides what trust they need",
    ),
    setting("core.ignoreCase", "false", "whether the file system tells A from a"),
    setting("core.logAllRefUpdates", "true", "which references have logs"),
    setting("core.pager", "less", "the pager, before PAGER"),
    setting("core.quotePath", "true", "whether names in patches are quoted"),
    setting("core.sharedRepository", "umask", "who may write the files of the git directory"),
    setting(
        "core.sparseCheckout",
        "false",
        "whether a part of the tree is checked out; with core.sparseCheckoutCone",
    ),
    setting("core.sshCommand", "", "how git connects when it pushes or fetches"),
    setting("core.symlinks", "true", "whether links are written as links"),
    setting("core.trustctime", "true", "whether the change time of a file counts"),
    setting("core.warnAmbiguousRefs", "true", "whether a name of several references is warned of"),
    setting("diff.<driver>.binary", "", "whether what the driver names is binary"),
    setting("diff.algorithm", "myers", "how patches compare lines"),
    setting("diff.context", "3", "how many lines a patch shows around a change"),
    setting("diff.indentHeuristic", "true", "whether the ends of hunks follow indentation"),
    setting("diff.interHunkContext", "0", "how near hunks are shown as one"),
    setting("diff.renameLimit", "1000", "the most files whose renames a patch looks for"),
    setting("diff.renames", "true", "whether patches find renames"),
    setting("filter.<name>.clean", "", "a driver of content; clean, smudge, process and required"),
    setting("gpg.format", "openpgp", "the kind of signatures; with gpg.program and gpg.<format>.program"),
    setting("i18n.commitEncoding", "utf-8", "the encoding of messages"),
    setting("index.skipHash", "false", "whether the index ends without a checksum"),
    setting("index.sparse", "false", "whether the index holds folders"),
    setting("merge.<name>.driver", "", "a program that merges what attributes name"),
    setting("merge.conflictStyle", "merge", "how conflicts are marked: merge, diff3 or zdiff3"),
    setting(
        "merge.directoryRenames",
        "conflict",
        "what becomes of a file in a folder that the other side renamed",
    ),
    setting("merge.renameLimit", "7000", "the most files whose renames a merge looks for"),
    setting("merge.renames", "true", "whether merges follow renames"),
    setting("merge.renormalize", "false", "whether line ends are made equal before a merge"),
    setting(
        "reftable.blockSize",
        "4096",
        "the size of a block; with reftable.restartInterval and .geometricFactor",
    ),
    setting("remote.<name>.pushurl", "", "where a remote is pushed to, before its url"),
    setting("remote.<name>.url", "", "where a remote is"),
    setting("remote.pushDefault", "", "the remote that --push pushes to where the branch names none"),
    setting("rerere.autoUpdate", "false", "whether a replayed resolution is staged"),
    setting("rerere.enabled", "where rr-cache is there", "whether resolutions are recorded and replayed"),
    setting("revert.reference", "false", "whether messages refer to commits with subject and date"),
    setting("safe.directory", "", "repositories of other owners that are opened all the same"),
    setting("trailer.separators", ":", "what stands between the key of a trailer and its value"),
    setting("user.email", "", "the address of author and committer"),
    setting("user.name", "", "the name of author and committer"),
    setting("user.signingKey", "", "the key of signatures"),
];

/// The variables that count.
pub(crate) const VARIABLES: &[Setting] = &[
    setting("CLICOLOR_FORCE", "", "with a value other than 0: colour, terminal or not"),
    setting("COLUMNS", "the terminal's", "how wide text is"),
    setting("EDITOR", "vi", "the editor of messages, where nothing else names one; VISUAL before it"),
    setting("GH_TOKEN", "", "a token of gh's for --pr; GITHUB_TOKEN, GITLAB_TOKEN and GH_HOST reach it too"),
    setting("GIT_AUTHOR_NAME", "user.name", "the author; with GIT_AUTHOR_EMAIL and GIT_AUTHOR_DATE"),
    setting(
        "GIT_COMMITTER_NAME",
        "user.name",
        "the committer; with GIT_COMMITTER_EMAIL and GIT_COMMITTER_DATE",
    ),
    setting("GIT_CONFIG_COUNT", "0", "keys and values of the configuration, as git -c gives them"),
    setting("GIT_DIR", "", "the git directory; with GIT_WORK_TREE and GIT_COMMON_DIR"),
    setting("GIT_EDITOR", "", "the editor of messages, before all others"),
    setting("GIT_INDEX_FILE", "", "the index"),
    setting("GIT_NO_LAZY_FETCH", "", "in a partial clone: fetch nothing"),
    setting("GIT_PAGER", "", "the pager, before all others"),
    setting("GIT_REFLOG_ACTION", "", "what the logs of references say"),
    setting(
        "GIT_SSH_COMMAND",
        "",
        "how git connects when it pushes or fetches; GIT_SSH and SSH_AUTH_SOCK reach it too",
    ),
    setting("NO_COLOR", "", "with any value: no colour"),
    setting("PAGER", "less", "the pager, where nothing else names one; with LESS"),
    setting("RB_ALLOWED_SIGNERS", "", "the file of keys whose signed approvals count"),
    setting("RB_COMPAT", "", "git: revert and cherry-pick take git's flags and say git's words"),
    setting("RB_LOG", "", "what is told on standard error of the work that goes on, such as debug"),
    setting("RB_TRUSTED_HASH", "", "the hash that a procedure must have, as --trusted-hash"),
    setting("TERM", "", "dumb: no colour"),
    setting("VISUAL", "", "the editor of messages on a terminal, before EDITOR"),
];

/// The variables whose values are secrets.
pub(crate) const SECRET: [&str; 1] = ["GH_TOKEN"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_is_in_order_and_has_a_name_once() {
        for table in [OWN_KEYS, GIT_KEYS, VARIABLES] {
            let names: Vec<_> = table.iter().map(|setting| setting.name.to_ascii_lowercase()).collect();
            assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        }
    }
}
