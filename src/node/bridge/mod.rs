//! What has to do with V8: values, calls, exceptions, promises, and the way to the JavaScript thread.

pub mod arguments;
pub mod async_context;
pub mod call_end;
pub mod call_options;
pub mod call_stats;
pub mod environment;
pub mod exception;
pub mod function;
pub mod given_functions;
mod guest_error;
pub mod hash_flaw;
mod host_error;
pub mod host_function;
pub mod inbox;
mod js_error;
pub mod json;
pub mod options;
pub mod program_parts;
pub mod promise;
pub mod receipt;
pub mod signal;
pub mod source_options;
pub mod thenable;
pub mod value;
pub mod warning;
