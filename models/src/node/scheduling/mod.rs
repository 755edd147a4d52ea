//! Files of `src/node/scheduling`, and stand-ins for what they use.

#[path = "../../../../src/node/scheduling/calls.rs"]
pub mod calls;
#[path = "../../../../src/node/scheduling/queue.rs"]
pub mod queue;

#[path = "../../../../src/node/scheduling/tasks.rs"]
pub mod tasks;

pub mod worker_threads {
    pub fn blocking(work: impl FnOnce() + Send + 'static) {
        loom::thread::spawn(work);
    }

    pub fn yield_to_js_thread() {}
}

pub mod consumable {
    pub const DISPOSE: &str = "dispose";
}
