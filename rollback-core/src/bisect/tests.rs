//! The search by itself, on random graphs: what is found is what was planted, whatever is judged ahead or skipped.

use super::search::{Finding, Next, Node, Search, steps};

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A graph whose first node reaches all others; some nodes are merges, and some change nothing against a parent.
fn graph(random: &mut Random, size: usize) -> Vec<Node> {
    let mut nodes = Vec::with_capacity(size);
    for at in 0..size {
        let mut node = Node { changes: true, ..Node::default() };
        // Every node but the first has the one before it as a child, or a child of that.
        let next = if at + 1 < size { vec![at + 1] } else { Vec::new() };
        let mut parents = next;
        for _ in 0..random.below(3) {
            let other = at + 1 + random.below(6);
            if other < size && !parents.contains(&other) {
                let place = random.below(parents.len() + 1);
                parents.insert(place, other);
            }
        }
        node.first = parents.first().copied();
        if random.below(5) == 0 && !parents.is_empty() {
            node.same_as = Some(parents[random.below(parents.len())]);
            node.changes = false;
        }
        node.parents = parents;
        nodes.push(node);
    }
    nodes
}

/// Whether each node has the culprit in its past.
fn bad(nodes: &[Node], culprit: usize) -> Vec<bool> {
    let mut bad = vec![false; nodes.len()];
    for at in (0..nodes.len()).rev() {
        bad[at] = at == culprit || nodes[at].parents.iter().any(|parent| bad[*parent]);
    }
    bad
}

#[test]
fn what_is_planted_in_a_random_graph_is_found_however_many_are_judged_at_once() {
    let mut random = Random(7);
    for _ in 0..400 {
        let size = 2 + random.below(60);
        let mut nodes = graph(&mut random, size);
        let culprit = random.below(size);
        // The culprit differs from every parent, and what has it in its past from no parent that has not.
        let bad = bad(&nodes, culprit);
        for at in 0..size {
            if nodes[at].same_as.is_some_and(|parent| bad[parent] != bad[at]) {
                (nodes[at].same_as, nodes[at].changes) = (None, true);
            }
        }
        for at_once in [1, 2, 3] {
            let mut search = Search::new(&nodes, 0);
            let found = loop {
                match search.next() {
                    Next::Found(at) => break at,
                    Next::OneOf(all) => panic!("nothing is skipped: {all:?}"),
                    Next::Judge(at) => {
                        let round = search.next_at_once(at_once);
                        assert_eq!(round[0], at);
                        let left = search.left();
                        for at in round {
                            search.note(at, if bad[at] { Finding::Bad } else { Finding::Good });
                        }
                        assert!(search.left() < left, "each round leaves less");
                    }
                }
            };
            assert_eq!(found, culprit, "{nodes:?}");
        }
    }
}

/// A line of commits without merges.
fn line(size: usize) -> Vec<Node> {
    let node = |at: usize| {
        let next = (at + 1 < size).then_some(at + 1);
        Node { parents: next.into_iter().collect(), first: next, same_as: None, changes: true }
    };
    (0..size).map(node).collect()
}

#[test]
fn a_stretch_that_cannot_be_judged_is_left_in_a_few_attempts() {
    let nodes = line(101);
    let culprit = 90;
    let mut search = Search::new(&nodes, 0);
    let mut skips = 0;
    let found = loop {
        match search.next() {
            Next::Judge(at) if (20..80).contains(&at) => {
                skips += 1;
                search.note(at, Finding::Skipped);
            }
            Next::Judge(at) => {
                search.note(at, if at <= culprit { Finding::Bad } else { Finding::Good });
            }
            other => break other,
        }
    };
    assert_eq!(found, Next::Found(culprit));
    assert!(skips <= 3, "{skips}");
}

#[test]
fn a_merge_is_one_change_until_it_is_known_to_be_the_bad_one() {
    // 0 is the tip, 1 a merge of 2..4 into 5, and the line goes on to 7.
    let mut nodes = line(8);
    nodes[1] = Node { parents: vec![5, 2], first: Some(5), same_as: None, changes: true };
    nodes[4] = Node { parents: Vec::new(), first: None, same_as: None, changes: true };
    let mut search = Search::new(&nodes, 0);
    let mut judged = Vec::new();
    while let Next::Judge(at) = search.next() {
        judged.push(at);
        search.note(at, if at <= 3 { Finding::Bad } else { Finding::Good });
    }
    assert_eq!(search.next(), Next::Found(3));
    assert_eq!(judged[..2], [5, 3]);
}

#[test]
fn steps_are_those_of_halving() {
    assert_eq!([1, 2, 3, 4, 5, 8, 9, 1000].map(steps), [0, 1, 2, 2, 3, 3, 4, 10]);
}
