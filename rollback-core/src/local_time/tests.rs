use test_kit::Sandbox;

use super::*;

/// The offset that git writes for a commit of that second.
fn offset_of_git(sandbox: &Sandbox, name: &str, second: i64) -> String {
    let output = sandbox
        .command("git")
        .env("TZ", name)
        .env("GIT_AUTHOR_DATE", format!("@{second}"))
        .args(["var", "GIT_AUTHOR_IDENT"])
        .output()
        .expect("git runs");
    let text = String::from_utf8(output.stdout).expect("plain text");
    text.trim().rsplit(' ').next().expect("an offset").to_owned()
}

#[test]
fn a_zone_has_the_offset_that_git_gives_it() {
    let sandbox = Sandbox::folder();
    let winter = 1_767_225_600;
    let summer = 1_782_864_000;
    for name in [
        "",
        ":",
        "UTC",
        "Europe/Berlin",
        ":America/New_York",
        "America/Argentina/Ushuaia",
        "EST5EDT",
        "nowhere/at-all",
    ]
    .into_iter()
    .chain([
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "XYZ-5:30",
        "Asia/Kathmandu",
        "/usr/share/zoneinfo/Asia/Tokyo",
    ]) {
        for second in [winter, summer] {
            let time = jiff::Timestamp::from_second(second).expect("a second");
            let ours = time.to_zoned(named(name, Path::new(ZONES))).strftime("%z").to_string();
            assert_eq!(ours, offset_of_git(&sandbox, name, second), "{name} at {second}");
        }
    }
}
