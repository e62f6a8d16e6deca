//! Rows of work spread over threads, each with a state of its own, such as an engine or a folder.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// The threads that `asked` stands for: one for each core where it is 0.
pub(crate) fn threads(asked: usize) -> usize {
    match asked {
        0 => thread::available_parallelism().map_or(1, NonZero::get),
        asked => asked,
    }
}

/// How rows are spread.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    /// The threads, at least 1.
    pub(crate) threads: usize,
    /// How many rows a thread takes at once: neighbours that share what is read stay together.
    pub(crate) at_once: usize,
}

impl Spread {
    /// Does `work` on each row, in threads whose state `start` makes; the results are in the order of the rows.
    ///
    /// Fewer threads than asked for work where the system has no more; the calling thread is always one of them.
    ///
    /// # Errors
    /// That of the first row, in their order, that failed; rows after it may not have been begun.
    pub(crate) fn over<T: Sync, W, R: Send, E: Send>(
        self,
        rows: &[T],
        start: &(dyn Fn() -> Result<W, E> + Sync),
        work: &(dyn Fn(&mut W, &T) -> Result<R, E> + Sync),
    ) -> Result<Vec<R>, E> {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let at_once = self.at_once.max(1);
        let drain = || {
            let mut done: Vec<(usize, Result<R, E>)> = Vec::new();
            let mut state = None;
            while !failed.load(Ordering::Relaxed) {
                let from = next.fetch_add(at_once, Ordering::Relaxed);
                if from >= rows.len() {
                    break;
                }
                for (at, row) in rows.iter().enumerate().skip(from).take(at_once) {
                    let result = match &mut state {
                        Some(state) => work(state, row),
                        None => start().and_then(|made| work(state.insert(made), row)),
                    };
                    let stops = result.is_err();
                    done.push((at, result));
                    if stops {
                        failed.store(true, Ordering::Relaxed);
                        break;
                    }
                }
            }
            done
        };
        let others = self.threads.min(rows.len().div_ceil(at_once)).saturating_sub(1);
        let mut all = thread::scope(|scope| {
            let others: Vec<_> =
                (0..others).filter_map(|_| thread::Builder::new().spawn_scoped(scope, drain).ok()).collect();
            let mut all = drain();
            for other in others {
                all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            all
        });
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubled(threads: usize, rows: &[u32]) -> Result<Vec<u32>, String> {
        Spread { threads, at_once: 3 }.over(rows, &|| Ok(2), &|factor, row| match row {
            13 => Err("thirteen".to_owned()),
            row => Ok(row * *factor),
        })
    }

    #[test]
    fn results_are_in_the_order_of_the_rows_however_many_threads_work() {
        let rows: Vec<u32> = (100..200).collect();
        let expected: Vec<u32> = rows.iter().map(|row| row * 2).collect();
        for threads in [0, 1, 2, 7] {
            assert_eq!(doubled(threads, &rows), Ok(expected.clone()), "{threads}");
        }
        assert_eq!(doubled(2, &[]), Ok(Vec::new()));
    }

    #[test]
    fn a_row_that_fails_ends_the_work() {
        let rows: Vec<u32> = (0..100).collect();
        for threads in [1, 2] {
            assert_eq!(doubled(threads, &rows), Err("thirteen".to_owned()));
        }
        let unstarted: Result<Vec<u32>, &str> =
            Spread { threads: 2, at_once: 1 }.over(&rows, &|| Err::<(), _>("no engine"), &|(), row| Ok(*row));
        assert_eq!(unstarted, Err("no engine"));
    }
}
