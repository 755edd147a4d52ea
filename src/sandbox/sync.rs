//! What the protocols between threads are built of.

pub use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
