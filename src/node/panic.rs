//! Nothing unwinds into Node.js.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

use super::error::{Error, Result};

/// Runs something and makes an error of a panic: nothing may unwind into Node.js.
pub fn catch_panic<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| Err(Error::Internal(panic_message(&*payload))))
}

/// As [`catch_panic`], for a future.
pub async fn catch_panic_in<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let ended = AssertUnwindSafe(future).catch_unwind().await;
    ended.unwrap_or_else(|payload| Err(Error::Internal(panic_message(&*payload))))
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(result: Result<()>) -> String {
        result.expect_err("it panics").to_string()
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(failure(catch_panic(|| panic!("static"))), "internal error: static");
        assert_eq!(failure(catch_panic(|| panic!("formatted {}", 1))), "internal error: formatted 1");
        assert_eq!(failure(catch_panic(|| std::panic::panic_any(1))), "internal error: panic");
        let future = catch_panic_in(async { panic!("later") });
        assert_eq!(failure(future.now_or_never().expect("it ends")), "internal error: later");
    }
}
