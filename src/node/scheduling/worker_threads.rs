//! The threads that do what blocks: all work on a hypervisor.

use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::sandbox::thread_count::most_for_blocking;
use crate::sandbox::workers::Workers;

/// Threads for work that blocks. They outlive every JavaScript environment, so that objects collected while one is torn down
/// still find them, which is why `load` keeps the addon's code loaded.
static WORKERS: Workers = Workers::new("hyperlight-js", most_for_blocking);

/// Makes sure that there is a thread for what is begun next.
///
/// # Errors
/// None can be had.
pub fn ensure_one() -> Result<()> {
    Ok(WORKERS.ensure_one()?)
}

/// Runs something on a thread of its own that may block, when there is one. Where none could ever be had it is dropped; but
/// then [`ensure_one`] has refused what would have led here.
pub fn blocking(work: impl FnOnce() + Send + 'static) {
    let _ = catch_panic(|| {
        drop(WORKERS.run(Box::new(work)));
        Ok(())
    });
}

/// Lets the JavaScript thread go on, which may have been woken on this processor. For threads that have settled a promise and
/// have more to do, which it need not wait for.
pub fn yield_to_js_thread() {
    std::thread::yield_now();
}
