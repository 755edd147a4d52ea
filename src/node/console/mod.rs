//! Lines that guest code writes to its console: to a JavaScript function, or to the process's output.

pub mod callback;
mod lines;
pub mod log;
mod output;
mod stream;
