//! Contexts of asynchronous code: what `async_hooks` is told of the engine's jobs and promises, from when it is first used. Its
//! script says what it makes of that.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Function, Object, Persistent, Value, qjs};

use crate::global::Global;

static IS_FOLLOWED: AtomicBool = AtomicBool::new(false);
static FUNCTIONS: Global<Persistent<Object<'static>>> = Global::new();

/// Begins to tell these functions.
pub fn follow<'js>(ctx: Ctx<'js>, functions: Object<'js>) {
    FUNCTIONS.set(Persistent::save(&ctx, functions));
    IS_FOLLOWED.store(true, Relaxed);
    // SAFETY: the context is alive.
    unsafe {
        qjs::JS_SetPromiseHook(qjs::JS_GetRuntime(ctx.as_raw().as_ptr()), Some(tell_of_promise), ptr::null_mut())
    };
}

/// Runs the job that has waited longest: whether there was one.
pub fn run_job(ctx: &Ctx<'_>) -> bool {
    if IS_FOLLOWED.load(Relaxed) {
        tell(ctx, "beginJob", None);
    }
    ctx.execute_pending_job()
}

/// A call has ended: what its code has entered is left.
pub fn reset(ctx: &Ctx<'_>) {
    if IS_FOLLOWED.load(Relaxed) {
        tell(ctx, "reset", None);
    }
}

/// The state of a promise: 0 if it is pending, 1 if it is fulfilled, 2 if it is rejected; -1 for what is none.
pub fn promise_state(value: Value<'_>) -> i32 {
    match value.as_promise().map(|promise| promise.state()) {
        None => -1,
        Some(PromiseState::Pending) => 0,
        Some(PromiseState::Resolved) => 1,
        Some(PromiseState::Rejected) => 2,
    }
}

fn tell<'js>(ctx: &Ctx<'js>, name: &str, promise: Option<Value<'js>>) {
    let functions = FUNCTIONS.with(|functions| functions.clone());
    let told = functions.restore(ctx).and_then(|functions| {
        let function: Function = functions.get(name)?;
        match promise {
            Some(promise) => function.call::<_, ()>((promise,)),
            None => function.call::<_, ()>(()),
        }
    });
    if told.is_err() {
        // There was no memory for it: the code runs outside of all contexts.
        ctx.catch();
    }
}

/// Called by the engine.
unsafe extern "C" fn tell_of_promise(
    ctx: *mut qjs::JSContext,
    kind: qjs::JSPromiseHookType,
    promise: qjs::JSValue,
    _parent: qjs::JSValue,
    _opaque: *mut c_void,
) {
    let name = match kind {
        qjs::JSPromiseHookType_JS_PROMISE_HOOK_INIT => "promiseMade",
        qjs::JSPromiseHookType_JS_PROMISE_HOOK_BEFORE => "thenCalled",
        qjs::JSPromiseHookType_JS_PROMISE_HOOK_RESOLVE => "promiseFulfilled",
        _ => return,
    };
    let Some(raw) = NonNull::new(ctx) else { return };
    // SAFETY: the engine gives a context that is alive, and a promise of that, which stays its own.
    let (ctx, promise) = unsafe {
        let ctx = Ctx::from_raw(raw);
        let promise = Value::from_raw(ctx.clone(), qjs::JS_DupValue(raw.as_ptr(), promise));
        (ctx, promise)
    };
    tell(&ctx, name, Some(promise));
}
