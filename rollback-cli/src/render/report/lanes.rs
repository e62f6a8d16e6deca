//! The drawing of a commit graph: where the dots are and which lines join them.

use rollback_core::report::{Node, Part};
use serde::Serialize;
use serde_json::Value;

/// The height of a row, as the style sheet has it.
const ROW: usize = 60;
/// Where the mainline is, and the lane beside it.
const MAIN: usize = 12;
const ASIDE: usize = 36;
const RADIUS: usize = 7;

/// One side, drawn.
#[derive(Serialize)]
pub(super) struct Drawing {
    width: usize,
    height: usize,
    lines: Vec<Line>,
    dots: Vec<Dot>,
    /// Over the dots.
    crosses: Vec<Line>,
    nodes: Value,
}

#[derive(Serialize)]
struct Line {
    class: &'static str,
    d: String,
}

#[derive(Serialize)]
struct Dot {
    class: &'static str,
    x: usize,
    y: usize,
    r: usize,
}

/// Draws the commits, newest on top.
pub(super) fn draw(nodes: &[Node]) -> Drawing {
    let places: Vec<_> = nodes.iter().enumerate().map(|(row, node)| place(row, node)).collect();
    let mut lines = mainline(nodes, &places);
    lines.extend(branches(nodes, &places));
    let undone = nodes.iter().zip(&places).filter(|(node, _)| node.mark.part == Part::Undone);
    let crosses = undone.map(|(_, place)| cross(*place)).collect();
    let dots = nodes
        .iter()
        .zip(&places)
        .map(|(node, (x, y))| Dot { class: class(node.mark.part), x: *x, y: *y, r: RADIUS })
        .collect();
    let width = if nodes.iter().any(|node| node.mark.aside) { ASIDE + MAIN } else { 2 * MAIN };
    Drawing { width, height: nodes.len() * ROW, lines, dots, crosses, nodes: super::shown(&nodes) }
}

fn place(row: usize, node: &Node) -> (usize, usize) {
    (if node.mark.aside { ASIDE } else { MAIN }, row * ROW + ROW / 2)
}

/// The lines between commits of the mainline; a gap is dotted.
fn mainline(nodes: &[Node], places: &[(usize, usize)]) -> Vec<Line> {
    let on_it: Vec<usize> = (0..nodes.len()).filter(|row| !nodes[*row].mark.aside).collect();
    on_it
        .windows(2)
        .map(|pair| {
            let (upper, lower) = (pair[0], pair[1]);
            let adjacent = lower == upper + 1 && nodes[upper].adjacent;
            let (x, from, to) = (places[upper].0, places[upper].1, places[lower].1);
            Line {
                class: if adjacent { "line" } else { "gap" },
                d: format!("M{x} {}V{}", from + RADIUS, to - RADIUS),
            }
        })
        .collect()
}

/// The lines out to the lane beside the mainline, and back.
fn branches(nodes: &[Node], places: &[(usize, usize)]) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in 1..nodes.len() {
        let ((from_x, from_y), (to_x, to_y)) = (places[row - 1], places[row]);
        if from_x != to_x {
            let (start, end) = (from_y + RADIUS, to_y - RADIUS);
            let middle = (start + end) / 2;
            lines.push(Line {
                class: "line",
                d: format!("M{from_x} {start}C{from_x} {middle} {to_x} {middle} {to_x} {end}"),
            });
        }
    }
    lines
}

/// Drawn over the dot of what was undone.
fn cross((x, y): (usize, usize)) -> Line {
    let (left, right, top, bottom) = (x - 3, x + 3, y - 3, y + 3);
    Line { class: "cross", d: format!("M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}") }
}

fn class(part: Part) -> &'static str {
    match part {
        Part::New => "new",
        Part::Tip => "tip",
        Part::Undone => "undone",
        Part::Good => "good",
        _ => "other",
    }
}
