//! Which modules `require()` must leave alone, since the engine is in the midst of evaluating them.
//!
//! `require()` evaluates an ES module at once, perhaps while the engine evaluates others: the engine would begin anew with those that
//! it has begun with. From outside it cannot be told which these are, so all are taken for such that could be. They are reached by
//! imports from what the turn has been asked to import, and they import what is being evaluated:
//!
//! - while the code of a CommonJS module runs because it was imported, they are those that reach it;
//! - when the code of a handler or of a program runs, all that it imports has been evaluated, and nothing can import it;
//! - between two jobs nothing is being evaluated.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::global::Global;

static GRAPH: Global<Graph> = Global::new();
/// Whether there is something to forget at the end of a turn.
static IS_BUSY: AtomicBool = AtomicBool::new(false);

/// What imports what, and what is being evaluated.
#[derive(Default)]
struct Graph {
    imports: BTreeMap<String, BTreeSet<String>>,
    /// Evaluations, each begun in the midst of the one before it. The first is that of the turn.
    evaluations: Vec<Evaluation>,
}

/// Modules that the engine has been told to evaluate.
#[derive(Default)]
struct Evaluation {
    roots: Vec<String>,
    /// The module whose code runs, where that is known.
    running: Option<String>,
    /// The handler that is evaluated: the root of all.
    handler: Option<String>,
}

impl Graph {
    fn last(&mut self) -> &mut Evaluation {
        if self.evaluations.is_empty() {
            self.evaluations.push(Evaluation::default());
        }
        let last = self.evaluations.len() - 1;
        &mut self.evaluations[last]
    }

    fn reached_from<'a>(&'a self, roots: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut next: Vec<&str> = roots.into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = next.pop() {
            if reached.insert(name) {
                next.extend(self.imports.get(name).into_iter().flatten().map(String::as_str));
            }
        }
        reached
    }
}

/// Prepares an empty graph.
pub fn init() {
    GRAPH.set(Graph::default());
}

/// A module imports another, which the engine will evaluate.
pub fn imported(importer: &str, name: &str) {
    GRAPH.with(|graph| {
        if !graph.imports.get(importer).is_some_and(|names| names.contains(name)) {
            graph.imports.entry(importer.to_string()).or_default().insert(name.to_string());
        }
        graph.last().roots.push(name.to_string());
    });
    IS_BUSY.store(true, Relaxed);
}

/// Says that the code of a module runs, until another does. Returns the one before it.
pub fn set_running(name: Option<String>) -> Option<String> {
    IS_BUSY.store(true, Relaxed);
    GRAPH.with(|graph| core::mem::replace(&mut graph.last().running, name))
}

/// The turn begins to evaluate a handler.
pub fn begin_handler(name: &str) {
    GRAPH.with(|graph| graph.last().handler = Some(name.to_string()));
    IS_BUSY.store(true, Relaxed);
}

/// The handler that the turn evaluates, unless its code is known to run.
pub fn handler() -> Option<String> {
    GRAPH.with(|graph| {
        let first = graph.evaluations.first().filter(|first| first.running.is_none())?;
        first.handler.clone()
    })
}

/// The code of the handler that the turn evaluates runs.
pub fn handler_runs() {
    GRAPH.with(|graph| {
        if let Some(first) = graph.evaluations.first_mut() {
            first.running = first.handler.clone();
        }
    });
}

/// Begins an evaluation in the midst of others.
pub fn begin(name: &str) {
    GRAPH.with(|graph| {
        // That of the turn is there as well.
        graph.last();
        graph.evaluations.push(Evaluation { roots: [name.to_string()].into(), ..Evaluation::default() });
    });
    IS_BUSY.store(true, Relaxed);
}

/// It has ended.
pub fn end() {
    GRAPH.with(|graph| graph.evaluations.pop());
}

/// Whether a module imports one that the engine may be in the midst of evaluating, or is one: in an evaluation before the one that
/// was begun last, which is this module's.
pub fn is_in_cycle(name: &str) -> bool {
    GRAPH.with(|graph| {
        let reached = graph.reached_from([name]);
        let before = graph.evaluations.len().saturating_sub(1);
        graph.evaluations[..before].iter().any(|Evaluation { roots, running, .. }| match running {
            Some(running) => reached.contains(running.as_str()),
            None => !graph.reached_from(roots.iter().map(String::as_str)).is_disjoint(&reached),
        })
    })
}

/// Nothing is being evaluated any more.
pub fn end_turn() {
    // Most turns have nothing to forget, and write nothing: each page that is written first has to be copied.
    if IS_BUSY.load(Relaxed) {
        IS_BUSY.store(false, Relaxed);
        GRAPH.with(|graph| graph.evaluations.clear());
    }
}
