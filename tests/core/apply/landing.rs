//! What lands.

use super::kit::*;

#[test]
fn a_changed_file_lands_as_git_reverts_it() {
    let sandbox = Sandbox::new();
    sandbox.write("a/b/file", "one\n").write("other", "x\n").commit("first");
    sandbox.write("a/b/file", "two\n").commit("second");
    assert_lands_like_git(&sandbox);
}

#[test]
fn added_deleted_and_moved_files_land_with_their_folders() {
    let sandbox = Sandbox::new();
    sandbox.write("keep", "k\n").write("deep/er/gone", "g\n").write("x/old-name", "n\n").commit("first");
    sandbox.remove("deep/er/gone").remove("x/old-name");
    sandbox.write("y/new-name", "n\n").write("fresh/folder/file", "f\n").commit("second");
    assert_lands_like_git(&sandbox);
}
