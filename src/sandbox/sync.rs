//! What the protocols between threads are built of. The package `models` compiles their files with a module of its own instead.

pub use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
