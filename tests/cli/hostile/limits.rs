//! Objects, trees and files of git that claim or become more than any machine has: each ends in an answer, and in
//! memory that is bounded.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use test_kit::Sandbox;
use test_kit::hostile::{self, Row};

use super::words;

/// The most memory that an answer may take, in KiB: as much as the limit on one object and room beside it.
const MEMORY: u64 = 1536 << 10;

/// Two commits that change a file.
fn honest() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("one", &[("f", "one\n")]);
    repo.commit("two", &[("f", "two\n")]);
    repo
}

/// How `rb` ended, what it said, and the most memory it had, in KiB.
struct Ended {
    code: i32,
    text: String,
    memory: u64,
}

/// Runs `rb` with a time limit. The kernel tells how much memory a child had that was waited for.
fn rb(repo: &Sandbox, line: &str) -> Ended {
    let mut command = repo.command("timeout");
    let script = "import resource,subprocess,sys\nended=subprocess.run(sys.argv[1:])\n\
                  sys.stderr.write('\\nmemory %d\\n' % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n\
                  sys.exit(ended.returncode if ended.returncode >= 0 else 128 - ended.returncode)";
    command.args(["-k", "5", "120", "python3", "-c", script, env!("CARGO_BIN_EXE_rb")]).args(words(line));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let memory = text.rsplit_once("\nmemory ").and_then(|(_, number)| number.trim().parse().ok());
    Ended { code: output.status.code().unwrap_or(-1), memory: memory.unwrap_or(u64::MAX), text }
}

/// Whether memory can be measured here.
fn can_measure() -> bool {
    let there = std::process::Command::new("python3").args(["-c", "import resource"]).status();
    let there = there.is_ok_and(|status| status.success());
    if !there {
        eprintln!("SKIPPED: python3 measures the memory, and is not there");
    }
    there
}

/// Asserts that each command ends within the limits, with one of the codes, and names `names` where it refuses.
fn assert_bounded(repo: &Sandbox, what: &str, names: &str, lines: &[(&str, &[i32])]) {
    for (line, codes) in lines {
        let ended = rb(repo, line);
        assert!(codes.contains(&ended.code), "{what}: rb {line}: exit {}\n{}", ended.code, ended.text);
        assert!(ended.memory < MEMORY, "{what}: rb {line}: {} KiB\n{}", ended.memory, ended.text);
        if ended.code == 5 {
            assert!(ended.text.contains(names), "{what}: rb {line} does not name {names}\n{}", ended.text);
            assert!(ended.text.contains("hint: "), "{what}: rb {line}\n{}", ended.text);
        }
        println!("{what}: rb {line}: exit {}, {} MiB", ended.code, ended.memory >> 10);
    }
}

/// A number in groups of seven bits, the lowest first.
fn seven_bits(mut number: u64, mut bytes: Vec<u8>) -> Vec<u8> {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// The header of an entry of a pack.
fn entry(kind: u8, size: u64) -> Vec<u8> {
    let first = kind << 4 | (size & 15) as u8;
    match size >> 4 {
        0 => vec![first],
        rest => seven_bits(rest, vec![first | 0x80]),
    }
}

/// The bytes as zlib has them, in stored blocks.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks: Vec<&[u8]> = bytes.chunks(0xffff).collect();
    for (nth, block) in blocks.iter().enumerate() {
        out.push(u8::from(nth + 1 == blocks.len()));
        out.extend((block.len() as u16).to_le_bytes());
        out.extend((!(block.len() as u16)).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    out.extend((b << 16 | a).to_be_bytes());
    out
}

fn hash(repo: &Sandbox, bytes: &[u8]) -> Vec<u8> {
    let mut command = repo.command("sha1sum");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    bytes_of(&String::from_utf8_lossy(&output.stdout)[..40])
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Puts a pack in place whose entries have these ids; git's own index-pack would refuse it.
fn put_pack(repo: &Sandbox, entries: &[(String, Vec<u8>)]) {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend((entries.len() as u32).to_be_bytes());
    let mut rows = Vec::new();
    for (id, bytes) in entries {
        rows.push((bytes_of(id), pack.len() as u32));
        pack.extend_from_slice(bytes);
    }
    let trailer = hash(repo, &pack);
    pack.extend_from_slice(&trailer);
    rows.sort();
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for byte in 0..=255u8 {
        index.extend((rows.iter().filter(|(id, _)| id[0] <= byte).count() as u32).to_be_bytes());
    }
    rows.iter().for_each(|(id, _)| index.extend_from_slice(id));
    rows.iter().for_each(|_| index.extend_from_slice(&[0; 4]));
    rows.iter().for_each(|(_, at)| index.extend_from_slice(&at.to_be_bytes()));
    index.extend_from_slice(&trailer);
    let checksum = hash(repo, &index);
    index.extend_from_slice(&checksum);
    let folder = repo.path().join(".git/objects/pack");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("pack-0123.pack"), pack).unwrap();
    fs::write(folder.join("pack-0123.idx"), index).unwrap();
}

fn remove_loose(repo: &Sandbox, id: &str) -> std::path::PathBuf {
    let path = repo.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(&path).unwrap();
    path
}

/// A blob, a tree and a commit that the revert of HEAD reads: the number of the kind in a pack, its name, a revision.
const READ: [(u8, &str, &str); 3] =
    [(3, "blob", "HEAD~1:f"), (2, "tree", "HEAD~1^{tree}"), (1, "commit", "HEAD~1")];

#[test]
fn deltas_that_claim_or_make_many_gib_are_refused_by_their_size() {
    if !can_measure() {
        return;
    }
    for (kind, name, revision) in READ {
        for copies in [1, 1 << 16] {
            let repo = honest();
            let id = repo.git(&["rev-parse", revision]);
            remove_loose(&repo, &id);
            let base = vec![0; 1 << 16];
            let base_id = repo.git_with_input(&["hash-object", "--stdin"], &base);
            let base_id = String::from_utf8_lossy(&base_id).trim().to_owned();
            let first = [entry(kind, 1 << 16), deflated(&base)].concat();
            // Each instruction copies the whole base of 64 KiB: together 4 GiB, or 64 KiB of the 4 GiB it claims.
            let mut delta = seven_bits(4 << 30, seven_bits(1 << 16, Vec::new()));
            delta.extend(vec![0x80; copies]);
            let distance = first.len();
            let mut offset = vec![(distance & 0x7f) as u8];
            let mut rest = distance >> 7;
            while rest > 0 {
                rest -= 1;
                offset.insert(0, 0x80 | (rest & 0x7f) as u8);
                rest >>= 7;
            }
            let second = [entry(6, delta.len() as u64), offset, deflated(&delta)].concat();
            put_pack(&repo, &[(base_id, first), (id.clone(), second)]);
            let named = if name == "blob" { "f has" } else { &id };
            let what = format!("a {name} of {copies} copies of 64 KiB");
            assert_bounded(
                &repo,
                &what,
                named,
                &[("revert HEAD", &[5]), ("history f", &[0, 5]), ("status", &[0])],
            );
        }
    }
}

#[test]
fn objects_that_claim_many_gib_are_refused_by_their_name() {
    if !can_measure() {
        return;
    }
    for (kind, name, revision) in READ {
        let repo = honest();
        let id = repo.git(&["rev-parse", revision]);
        let path = remove_loose(&repo, &id);
        put_pack(&repo, &[(id.clone(), [entry(kind, 8 << 30), deflated(b"little")].concat())]);
        let named = if name == "blob" { "" } else { &id };
        let lines: &[(&str, &[i32])] = &[("revert HEAD", &[5]), ("history f", &[0, 5])];
        assert_bounded(&repo, &format!("a packed {name} of 8 GiB"), named, lines);
        fs::remove_dir_all(repo.path().join(".git/objects/pack")).unwrap();
        let header = format!("{name} {}\0little", 1u64 << 40);
        fs::write(&path, deflated(header.as_bytes())).unwrap();
        assert_bounded(&repo, &format!("a loose {name} of 1 TiB"), named, lines);
        let mut long = format!("{name} 10\0").into_bytes();
        long.extend(vec![b'x'; 64 << 20]);
        fs::write(&path, deflated(&long)).unwrap();
        assert_bounded(&repo, &format!("a loose {name} that is longer than it says"), &id, lines);
    }
}

#[test]
fn seven_trees_that_stand_for_many_millions_of_entries_are_refused_or_not_entered() {
    if !can_measure() {
        return;
    }
    let repo = honest();
    let mut row = Row::file(&repo, "100644", b"f", b"f\n");
    let mut tree = String::new();
    // Eight levels of ten names each: 10^8 paths out of eight objects.
    for level in 0..8 {
        let names: Vec<String> = (0..10).map(|name| format!("{name}")).collect();
        let id = row.id().to_owned();
        let mode = if level == 0 { "100644" } else { "40000" };
        let rows: Vec<_> = names.iter().map(|name| Row::raw(mode, name.as_bytes(), id.clone())).collect();
        tree = hostile::tree(&repo, &rows);
        row = Row::raw("40000", b"", tree.clone());
    }
    let rows = [Row::raw("40000", b"bomb", tree), Row::file(&repo, "100644", b"f", b"two\n")];
    let tip = repo.git(&["rev-parse", "HEAD"]);
    let hostile = hostile::commit(&repo, &hostile::tree(&repo, &rows), Some(&tip), "bomb");
    repo.git(&["update-ref", "refs/heads/hostile", &hostile]);
    assert_bounded(
        &repo,
        "10^8 paths",
        "paths",
        &[
            ("pick hostile", &[5]),
            ("pick hostile --dry-run", &[0, 5]),
            ("is-reverted hostile", &[0, 5, 10]),
            ("status", &[0]),
        ],
    );
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn folders_deeper_than_the_limit_and_paths_longer_than_it_are_refused_by_name() {
    for (depth, length) in [(2100, 1), (20, 255)] {
        let repo = honest();
        let name = vec![b'd'; length];
        let mut row = ("100644", Row::file(&repo, "100644", b"f", b"f\n").id().to_owned());
        for _ in 0..depth {
            row = ("40000", hostile::tree(&repo, &[Row::raw(row.0, &name, row.1)]));
        }
        let rows = [Row::raw("40000", &name, row.1), Row::file(&repo, "100644", b"f", b"two\n")];
        let tip = repo.git(&["rev-parse", "HEAD"]);
        let hostile = hostile::commit(&repo, &hostile::tree(&repo, &rows), Some(&tip), "deep");
        repo.git(&["update-ref", "refs/heads/hostile", &hostile]);
        let ended = rb(&repo, "pick hostile");
        assert_eq!(ended.code, 5, "{depth}: {}", ended.text);
        let why = if length == 1 { "nested deeper than 2048" } else { "longer than 4096 bytes" };
        assert!(ended.text.contains(why), "{depth}: {}", ended.text);
    }
}

#[test]
fn commits_with_a_hundred_thousand_parents_and_long_chains_of_tags_are_read() {
    if !can_measure() {
        return;
    }
    let repo = honest();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let tip = repo.git(&["rev-parse", "HEAD"]);
    let people = "author A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n";
    let object = |kind: &str, text: &str| {
        let id = repo
            .git_with_input(&["hash-object", "-t", kind, "--literally", "-w", "--stdin"], text.as_bytes());
        String::from_utf8_lossy(&id).trim().to_owned()
    };
    let parents = format!("parent {tip}\n").repeat(100_000);
    let many = object("commit", &format!("tree {tree}\n{parents}{people}\nmany\n"));
    repo.git(&["update-ref", "refs/heads/many", &many]);
    let long =
        object("commit", &format!("tree {tree}\nparent {tip}\n{people}\n{}\n", "long line ".repeat(4 << 20)));
    repo.git(&["update-ref", "refs/heads/long", &long]);
    let mut chain = tip.clone();
    let mut kind = "commit";
    for number in 0..300 {
        chain = object(
            "tag",
            &format!("object {chain}\ntype {kind}\ntag t{number}\ntagger A <a@example.com> 1 +0000\n\nx\n"),
        );
        kind = "tag";
    }
    repo.git(&["update-ref", "refs/tags/chain", &chain]);
    assert_bounded(
        &repo,
        "100,000 parents",
        &many,
        &[
            ("revert many -m 1 --dry-run", &[0, 3, 5]),
            ("revert -m 100000 many --dry-run", &[0, 3, 5]),
            ("history f --in many", &[0, 2, 5]),
            ("is-reverted HEAD --in many", &[0, 5, 10]),
        ],
    );
    assert_bounded(
        &repo,
        "a message of 40 MiB",
        &long,
        &[("revert long --dry-run", &[0, 3]), ("is-reverted HEAD --in long", &[0, 10])],
    );
    assert_bounded(&repo, "300 tags of each other", "", &[("revert chain", &[0]), ("undo", &[0])]);
}

#[test]
fn tags_and_commits_that_cannot_be_read_are_named_and_never_a_panic() {
    let repo = honest();
    for kind in ["tag", "commit", "tree"] {
        let id =
            repo.git_with_input(&["hash-object", "-t", kind, "--literally", "-w", "--stdin"], b"garbage");
        let id = String::from_utf8_lossy(&id).trim().to_owned();
        for folder in ["heads/bad", "tags/badt", "remotes/origin/bad"] {
            let path = repo.path().join(format!(".git/refs/{folder}-{kind}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{id}\n")).unwrap();
        }
        for step in ["", "^{commit}", "~1", "^0", "^{tree}", ":f", "^{}", "..HEAD", "^{/x}", "~1^{tree}"] {
            let ended = rb(&repo, &format!("revert --dry-run bad-{kind}{step}"));
            assert_eq!(ended.code, 5, "{kind}{step}: {}", ended.text);
        }
    }
    for (line, codes) in [
        ("status", &[0][..]),
        ("history f", &[0]),
        ("history nothing", &[5]),
        ("revert HEAD", &[0]),
        ("is-reverted HEAD~1", &[0]),
        ("undo", &[0, 5]),
    ] {
        let ended = rb(&repo, line);
        assert!(codes.contains(&ended.code), "{line}: exit {}\n{}", ended.code, ended.text);
    }
}

#[test]
fn an_index_a_graph_and_a_pack_that_claim_too_many_entries_are_refused_or_done_without() {
    if !can_measure() {
        return;
    }
    let claims = |path: &str, at: usize, codes: &[i32], also: fn(&Sandbox)| {
        for count in [u32::MAX, 0x7fff_ffff, 0x00ff_ffff] {
            let repo = honest();
            also(&repo);
            let folder = repo.path().join(".git").join(path);
            let file = match folder.is_dir() {
                true => fs::read_dir(&folder)
                    .unwrap()
                    .map(|row| row.unwrap().path())
                    .find(|path| path.extension().is_some_and(|end| end == "idx"))
                    .unwrap(),
                false => folder,
            };
            let mut bytes = fs::read(&file).unwrap();
            bytes[at..at + 4].copy_from_slice(&count.to_be_bytes());
            fs::remove_file(&file).unwrap();
            fs::write(&file, bytes).unwrap();
            assert_bounded(
                &repo,
                &format!("{path} with {count} entries"),
                "",
                &[("revert HEAD", codes), ("history f", &[0, 5, 70])],
            );
        }
    };
    claims("index", 8, &[5], |_| {});
    // The last slot of the fan-out table is the number of commits, and of objects.
    claims("objects/info/commit-graph", 8 + 5 * 12 + 255 * 4, &[0, 5], |repo| {
        repo.git(&["commit-graph", "write", "--reachable"]);
    });
    claims("objects/pack", 8 + 255 * 4, &[0, 5], |repo| {
        repo.git(&["gc", "-q"]);
    });
}

#[test]
fn procedures_that_have_no_end_are_refused_in_little_memory_and_others_go_on() {
    if !can_measure() {
        return;
    }
    let repo = honest();
    let good = "schema = 1\nid = \"good\"\ndefault_phase = \"x\"\n[phase.x]\nladder = [{ use = \"revert-commit\" }]\n\
                target = { commit = \"HEAD\" }\n";
    repo.commit("good", &[(".rb/procedures/good.toml", good)]);
    let file = repo.path().join(".rb/procedures/z.toml");
    let texts = [
        format!("schema = 1\nid = \"z\"\ntitle = \"{}\"\n", "x".repeat(64 << 20)),
        format!("schema = 1\nid = \"z\"\nx = {}\n", "[".repeat(100_000)),
        format!("schema = 1\nid = \"z\"\n[{}]\nb = 1\n", vec!["a"; 50_000].join(".")),
    ];
    let links: [(&str, &dyn Fn()); 2] = [
        ("a device", &|| std::os::unix::fs::symlink("/dev/zero", &file).unwrap()),
        ("a pipe", &|| assert!(repo.command("mkfifo").arg(&file).status().unwrap().success())),
    ];
    let asked = |what: &str| {
        let lines: [(&str, &[i32]); 5] = [
            ("procedure list", &[0, 2, 5]),
            ("procedure check .rb/procedures/z.toml", &[2, 5]),
            ("procedure show z", &[2, 5]),
            ("run z", &[2, 5]),
            ("run good --dry-run", &[0]),
        ];
        assert_bounded(&repo, what, "z", &lines);
        fs::remove_file(&file).unwrap();
    };
    for text in texts {
        fs::write(&file, &text).unwrap();
        asked(&text[..40]);
    }
    for (what, make) in links {
        make();
        asked(what);
    }
}
