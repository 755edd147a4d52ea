//! Which thread does what, and when. Nothing here knows V8.

pub mod call_record;
pub mod calls;
pub mod consumable;
pub mod host_call;
pub mod jobs;
pub mod pool_id;
pub mod queue;
pub mod reentrancy;
pub mod sandbox_context;
pub mod status;
pub mod tasks;
pub mod worker_threads;
