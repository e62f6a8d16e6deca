use test_kit::Sandbox;

use super::*;

fn rows(text: &str) -> Vec<(String, Option<String>, usize)> {
    let settings = read(text.as_bytes()).expect("git reads it");
    let value = |setting: &Setting| setting.value.as_ref().map(ToString::to_string);
    settings.iter().map(|setting| (setting.key(), value(setting), setting.line)).collect()
}

#[test]
fn values_are_read_with_their_lines() {
    let text = "\u{feff}# c\n[Core]\n\tBare = true ; no\r\n\tx\n[a \"S.\\\"b\"] k=v\\\n w\n[p.Q]\nz = \" a \" b \\t\n";
    let row = |key: &str, value: Option<&str>, line| (key.to_owned(), value.map(str::to_owned), line);
    let expected = [
        row("core.bare", Some("true"), 3),
        row("core.x", None, 4),
        row("a.S.\"b.k", Some("v w"), 5),
        row("p.q.z", Some(" a  b \t"), 8),
    ];
    assert_eq!(rows(text), expected);
}

#[test]
fn the_line_is_the_one_that_git_names() {
    let texts = [
        "[core]\n\tbare = true\n[broken\n",
        "[core]\n = x\n",
        "[a]\nb = \"open\n",
        "[a]\nb = \\q\n",
        "[a \"x]\n",
        "[a \"x\"\n",
        "[a]\nb c = d\n",
        "[a]\n\n*\n",
        "[a]\nb_c = d\n",
        "[a] b = 1\n[]x\n",
        "[a] b = 1\n[a b]\n",
        "[a] b = 1\n\n[]\n",
    ];
    let sandbox = Sandbox::folder();
    for text in texts {
        sandbox.write("config", text);
        let git = sandbox.try_git(&["config", "--list", "--file", "config"]);
        let said = String::from_utf8_lossy(&git.stderr).into_owned();
        let line = read(text.as_bytes()).expect_err(text);
        assert!(said.contains(&format!("bad config line {line} in file")), "{text:?}: {line} against {said}");
    }
}
