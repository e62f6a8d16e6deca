//! A long-running filter, as `gitattributes(5)` describes it, for tests that compare with git.

use std::path::Path;

use crate::Sandbox;

/// Swaps upper and lower case in both directions, and logs what it is asked. A path with `refused` in it gets the status
/// `error`, one with `broken` breaks off within the content, one with `silent` gets no answer at all.
const SCRIPT: &str = r#"#!/usr/bin/perl
use strict; use warnings;
binmode STDIN; binmode STDOUT; $| = 1;
my $log = shift;
sub note { open(my $out, '>>', $log) or die; print $out "@_\n"; close $out }
sub take { my $n = shift; my $got = ''; while (length $got < $n) { my $r = read(STDIN, my $b, $n - length $got); exit 0 unless $r; $got .= $b } $got }
sub packet { my $n = hex take(4); return undef if $n == 0; take($n - 4) }
sub lines { my @l; while (defined(my $p = packet())) { chomp $p; push @l, $p } @l }
sub put { my $d = shift; printf STDOUT "%04x", 4 + length $d; print STDOUT $d }
sub flush { print STDOUT "0000" }
my @hello = lines();
die "hello" unless $hello[0] eq 'git-filter-client' and grep { $_ eq 'version=2' } @hello;
put("git-filter-server\n"); put("version=2\n"); flush();
my %can = map { $_ => 1 } lines();
die "capabilities" unless $can{'capability=clean'} and $can{'capability=smudge'};
put("capability=clean\n"); put("capability=smudge\n"); flush();
note("started");
while (1) {
  my %meta = map { split /=/, $_, 2 } lines();
  my $content = '';
  while (defined(my $p = packet())) { $content .= $p }
  note("$meta{command} $meta{pathname} " . ($meta{blob} // '-')) if $meta{command} eq 'smudge';
  if ($meta{pathname} =~ /silent/ and $meta{command} eq 'smudge') { sleep 600 }
  if ($meta{pathname} =~ /refused/ and $meta{command} eq 'smudge') { put("status=error\n"); flush(); next }
  put("status=success\n"); flush();
  (my $swapped = $content) =~ tr/a-zA-Z/A-Za-z/;
  if ($meta{pathname} =~ /broken/ and $meta{command} eq 'smudge') { put("half"); exit 1 }
  while (length $swapped) { put(substr $swapped, 0, 65000, '') }
  flush(); flush();
}
"#;

/// Installs the filter as `process` of the driver `swap`, in the repository's own configuration; false where there is no
/// perl to run it. Its log lies beside the repository.
pub fn install(repo: &Sandbox) -> bool {
    if !std::process::Command::new("perl").arg("-v").output().is_ok_and(|output| output.status.success()) {
        return false;
    }
    let script = repo.path().with_extension("pl");
    std::fs::write(&script, SCRIPT).expect("a script beside the repository");
    let command = format!("perl '{}' '{}'", script.display(), log_of(repo).display());
    repo.git(&["config", "filter.swap.process", &command]);
    true
}

/// What the filter has been asked, a line each.
pub fn log(repo: &Sandbox) -> String {
    std::fs::read_to_string(log_of(repo)).unwrap_or_default()
}

/// Forgets what it has been asked.
pub fn clear_log(repo: &Sandbox) {
    let _ = std::fs::remove_file(log_of(repo));
}

fn log_of(repo: &Sandbox) -> std::path::PathBuf {
    Path::new(repo.path()).with_extension("filter-log")
}
