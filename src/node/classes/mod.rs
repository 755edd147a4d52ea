//! The classes that JavaScript sees, one a file.

pub mod builder;
pub mod call_driver;
pub mod disposal;
mod handler_call;
mod heap_statistics;
mod host_call;
mod host_function_module;
mod interrupt;
mod js;
mod limits;
pub mod loaded;
mod pool;
mod pool_members;
mod pool_options;
mod pool_requests;
mod pool_stats;
mod preparation;
mod proto;
mod run;
mod snapshot;
