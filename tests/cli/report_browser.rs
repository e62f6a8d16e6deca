//! The page of a report in a real browser, headless Chromium: its sections, its width, what it asks for, what it says
//! on the console. Run by itself, see ARCHITECTURE.md; without a browser it fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::kit::rb;
use crate::report::{removed, with_run};

/// Loads the page in frames of several widths, with everything unfolded, and writes down what it found.
const PROBE: &str = r#"<!doctype html><body><script>
const found = [];
const widths = [320, 390, 768, 1280];
let left = widths.length;
for (const width of widths) {
  const frame = document.createElement("iframe");
  frame.style = "border:0;height:900px;width:" + width + "px";
  frame.onload = () => {
    const page = frame.contentDocument;
    for (const fold of page.querySelectorAll("details")) fold.open = true;
    const loads = "[src],[srcset],link,script,object,embed,iframe,img,[href]";
    found.push({
      width,
      overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
      sections: [...page.querySelectorAll("[id]")].map(one => one.id),
      references: [...page.querySelectorAll(loads)].map(one => one.outerHTML),
      loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
      circles: page.querySelectorAll("svg circle").length,
      ground: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
    });
    if (--left == 0) document.body.innerHTML = "<pre id=found>" + JSON.stringify(found) + "</pre>";
  };
  frame.src = "page.html";
  document.body.append(frame);
}
</script>"#;

#[test]
#[ignore = "needs Chromium: cargo test -p rollback-cli --test cli -- --ignored report_browser"]
fn a_report_fits_every_screen_and_is_silent() {
    let (of_run, id) = with_run();
    let of_operation = removed();
    rb(&of_operation, &["revert", "--file", "shim.py", "--check", "sh -c 'seq 300; test -f shim.py'"]);
    let all = "summary timeline graph ladder checks changes outside followups messages evidence facts";
    let few = "summary timeline graph ladder checks changes facts";
    for (repo, words, sections) in
        [(&of_run, vec!["report", "--run", &id], all), (&of_operation, vec!["report"], few)]
    {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.html");
        let written = rb(repo, &[&words[..], &["-o", page.to_str().unwrap()]].concat());
        assert_eq!(written.code, 0, "{}", written.stderr);
        std::fs::write(folder.path().join("probe.html"), PROBE).unwrap();
        let grounds = [("0", "dark"), ("1", "light")].map(|(scheme, name)| {
            let (found, console) = look(folder.path(), scheme);
            assert_eq!(console, Vec::<String>::new(), "{name}");
            assert_eq!(found.len(), 4, "{name}");
            for frame in &found {
                assert_eq!(frame["overflow"], 0, "{name}: {frame}");
                assert_eq!(frame["references"], serde_json::json!([]), "{name}");
                assert_eq!(frame["loaded"], 0, "{name}: {frame}");
                assert!(frame["circles"].as_u64().unwrap() >= 3, "{name}: {frame}");
                let there: Vec<_> =
                    frame["sections"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                assert_eq!(there.join(" "), sections, "{name}");
            }
            found[0]["ground"].clone()
        });
        assert_ne!(grounds[0], grounds[1], "dark and light look different");
    }
}

/// What the probe found, and what the page wrote to the console.
fn look(folder: &Path, scheme: &str) -> (Vec<Value>, Vec<String>) {
    let output = Command::new(browser())
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"])
        .args(["--virtual-time-budget=10000", "--enable-logging=stderr", "--window-size=1400,1000"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", folder.join("probe.html").display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = dom.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (found, _) = found.unwrap_or_else(|| panic!("the probe found nothing:\n{dom}\n{log}"));
    let found = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(ToOwned::to_owned).collect();
    (serde_json::from_str(&found).unwrap(), console)
}

/// Chromium under one of its names. A machine without it cannot show anything, and that is a failure.
fn browser() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<_> = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    found
        .into_iter()
        .find(|file| file.is_file())
        .expect("no Chromium on the path: this suite shows nothing without it")
}
