//! `hostCall()` for JavaScript.

use napi::{Env, Unknown};
use napi_derive::napi;

use crate::node::bridge::async_context::describe_current;
use crate::node::panic::catch_panic;

/// What is known of the host call that the running code serves. It is called in the callback of a host function, or in
/// anything that follows from it, such as behind its `await`. Elsewhere it returns `undefined`.
///
/// @example
/// ```ts
/// protoSandbox.hostModule('web').registerAsync('get', async (path) => {
///   const { context, signal } = hostCall()!;
///   const headers = { authorization: context.token };
///   const response = await fetch(new URL(String(path), 'https://example.com'), { headers, signal });
///   return response.text();
/// });
/// ```
/// ```ts
/// const page = await sandbox.callHandler('page', '/', { context: { token: 'abc' } });
/// ```
#[napi(ts_return_type = "HostCall | undefined")]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn host_call(env: &Env) -> napi::Result<Unknown<'static>> {
    catch_panic(|| describe_current(env)).map_err(|error| error.into_js(env))
}
