//! What values hide from JavaScript, for `inspect` and the console.

use rquickjs::convert::List;
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Promise, Result, Value, qjs};

use crate::engine::new_value::owned;

/// The target and the handler of a proxy; null for one that is revoked, nothing for what is no proxy. No trap runs.
pub fn proxy_parts<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Value<'js>> {
    // SAFETY: the value is alive.
    if !unsafe { qjs::JS_IsProxy(value.as_raw()) } {
        return Ok(Value::new_undefined(ctx));
    }
    // SAFETY: value and context belong together, and what is given is the context's own.
    let parts = unsafe {
        let context = ctx.as_raw().as_ptr();
        let target = owned(&ctx, qjs::JS_GetProxyTarget(context, value.as_raw()));
        target.and_then(|target| Ok((target, owned(&ctx, qjs::JS_GetProxyHandler(context, value.as_raw()))?)))
    };
    match parts {
        Ok(parts) => rquickjs::IntoJs::into_js(List(parts), &ctx),
        Err(_) => {
            ctx.catch();
            Ok(Value::new_null(ctx))
        }
    }
}

/// The state of a promise and what it was settled with.
pub fn promise_parts<'js>(ctx: Ctx<'js>, promise: Promise<'js>) -> Result<List<(&'static str, Value<'js>)>> {
    let state = match promise.state() {
        PromiseState::Pending => "pending",
        PromiseState::Resolved => "fulfilled",
        PromiseState::Rejected => "rejected",
    };
    // SAFETY: value and context belong together, and what is given is the context's own.
    let result = unsafe {
        let result = qjs::JS_PromiseResult(ctx.as_raw().as_ptr(), promise.as_value().as_raw());
        owned(&ctx, result)?
    };
    Ok(List((state, result)))
}
