//! Jobs that wait for the JavaScript thread, with their turns.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who causes jobs: a sandbox, or the host itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(u64);

impl Source {
    /// What the host asked for, of whatever sandbox.
    pub const HOST: Self = Self(0);

    /// A source that is no other's.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// A queue for each source. Jobs of one source are done in the order in which they came; the sources take turns, so that
/// none waits longer for having a neighbour with many jobs.
///
/// How many jobs there can be is limited by what there is to cause them: a sandbox's console has one at most, a guest has one
/// for the host function that it waits for and 1,000 for asynchronous ones, and each promise of the API has one.
pub struct Jobs<J> {
    /// Each source that has jobs, but for the one whose job is being done.
    turns: VecDeque<Source>,
    /// Their jobs. The source whose job is being done has a place here as well.
    by_source: HashMap<Source, VecDeque<J>>,
}

impl<J> Jobs<J> {
    pub fn new() -> Self {
        Self { turns: VecDeque::new(), by_source: HashMap::new() }
    }

    pub fn add(&mut self, source: Source, job: J) {
        let jobs = self.by_source.entry(source).or_insert_with(|| {
            self.turns.push_back(source);
            VecDeque::new()
        });
        jobs.push_back(job);
    }

    /// Whether a source has jobs that wait, beside the one that is being done.
    pub fn has_jobs_of(&self, source: Source) -> bool {
        self.by_source.get(&source).is_some_and(|jobs| !jobs.is_empty())
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// The next job. The source has no other turn until [`done`](Self::done).
    pub fn take(&mut self) -> Option<(Source, J)> {
        let source = self.turns.pop_front()?;
        let job = self.by_source.get_mut(&source)?.pop_front()?;
        Some((source, job))
    }

    /// A source's turn is over. A job that is to go on comes before the source's others, when it is its turn again.
    pub fn done(&mut self, source: Source, to_go_on: Option<J>) {
        let Some(jobs) = self.by_source.get_mut(&source) else { return };
        if let Some(job) = to_go_on {
            jobs.push_front(job);
        }
        if jobs.is_empty() {
            self.by_source.remove(&source);
        } else {
            self.turns.push_back(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does all jobs, each of which has a name and a number of turns, and returns the names in the order of the turns.
    fn order(jobs: &mut Jobs<(&'static str, u32)>) -> Vec<&'static str> {
        let mut order = Vec::new();
        while let Some((source, (name, turns))) = jobs.take() {
            order.push(name);
            jobs.done(source, (turns > 1).then(|| (name, turns - 1)));
        }
        order
    }

    #[test]
    fn jobs_of_a_source_keep_their_order_and_sources_take_turns() {
        let mut jobs = Jobs::new();
        let (a, b) = (Source::next(), Source::next());
        for job in ["a1", "a2", "a3"] {
            jobs.add(a, (job, 1));
        }
        jobs.add(b, ("b1", 1));
        jobs.add(Source::HOST, ("host", 1));
        assert_eq!(order(&mut jobs), ["a1", "b1", "host", "a2", "a3"]);
        assert!(jobs.is_empty() && jobs.by_source.is_empty(), "nothing is kept of sources without jobs");
    }

    #[test]
    fn a_job_of_many_turns_holds_up_its_own_source_only() {
        let mut jobs = Jobs::new();
        let (flood, quiet) = (Source::next(), Source::next());
        jobs.add(flood, ("lines", 4));
        jobs.add(flood, ("result", 1));
        jobs.add(quiet, ("q1", 1));
        jobs.add(quiet, ("q2", 1));
        assert_eq!(order(&mut jobs), ["lines", "q1", "lines", "q2", "lines", "lines", "result"]);
    }

    #[test]
    fn what_comes_during_a_turn_waits_for_the_next() {
        let mut jobs = Jobs::new();
        let source = Source::next();
        jobs.add(source, ("first", 1));
        let (taken, _) = jobs.take().expect("there is one");
        jobs.add(source, ("second", 1));
        assert!(jobs.is_empty(), "its turn has not ended");
        assert!(jobs.has_jobs_of(source), "it has another all the same");
        jobs.done(taken, None);
        assert_eq!(order(&mut jobs), ["second"]);
        assert!(!jobs.has_jobs_of(source));
    }
}
