//! JavaScript.
//!
//! One QuickJS runtime with one context. Handlers are ES modules; what they keep at module level lives as long as the
//! sandbox. A value that must differ between sandboxes or calls comes with the call: see [`clock`] and [`random`].

mod allocator;
mod builtins;
mod bytes;
pub mod clock;
mod console;
mod encode;
mod exception;
mod host;
mod json;
mod module;
mod payload;
mod random;
mod shared_memory;
mod stack;

use alloc::collections::BTreeMap;
use alloc::string::String;

use allocator::Limited;
use guest_abi::boot::Settings;
use guest_abi::message::{CallContext, Exception, HostFunctionNames, Reply};
use guest_abi::payload::Payload;
use payload::Encoded;
use rquickjs::{Context, Ctx, Function, Persistent, Promise, Runtime, Value};

use crate::gate;

/// How much the engine's memory may have grown before it is worth a collection. That writes to every object, so the first one
/// after a restore copies most of the heap; what it can find is at most this.
const COLLECTION_THRESHOLD: usize = 64 << 10;

pub struct Engine {
    runtime: Runtime,
    /// Bytes in use when there was least since the last collection, or since a handler was added.
    baseline: usize,
    context: Context,
    handlers: BTreeMap<String, Persistent<Function<'static>>>,
    output_limit: usize,
}

impl Engine {
    /// An engine without handlers.
    ///
    /// # Panics
    /// If the heap is too small for it.
    pub fn new(settings: &Settings) -> Self {
        let memory = Limited::new(settings.javascript_limit as usize);
        let runtime = Runtime::new_with_alloc(memory).expect("memory for a JavaScript runtime");
        module::init();
        runtime.set_loader(module::Modules, module::Modules);
        let context = Context::full(&runtime).expect("memory for a JavaScript context");
        context.with(|ctx| {
            stack::limit(&ctx, settings.stack_size as usize);
            shared_memory::install(&ctx);
            bytes::install(&ctx).expect("memory for binary data");
            console::install(&ctx).expect("memory for the console");
            host::install(&ctx, settings.output_limit as usize).expect("memory for the errors of host functions");
            random::install(&ctx).expect("memory for random numbers");
            encode::install(&ctx).expect("memory for what values are made of");
            builtins::install(&ctx).expect("built-in modules that work");
        });
        runtime.run_gc();
        let baseline = allocator::used();
        Self { runtime, baseline, context, handlers: BTreeMap::new(), output_limit: settings.output_limit as usize }
    }

    /// Makes host functions importable.
    pub fn set_host_functions(&mut self, names: &HostFunctionNames) {
        module::set_host_functions(names);
    }

    /// Makes a module importable.
    pub fn add_module(&mut self, specifier: String, source: String) {
        module::add(specifier, source);
    }

    /// Compiles a handler's module, evaluates it, and keeps its function.
    pub fn add_handler(&mut self, call: &CallContext, name: String, source: String) -> Reply {
        begin(call);
        let loaded = self.context.with(|ctx| {
            let handler = module::load_handler(&ctx, &name, &source)?;
            run_jobs(&ctx);
            Ok(Persistent::save(&ctx, handler))
        });
        match loaded {
            Ok(handler) => {
                self.handlers.insert(name, handler);
                gate::has_handlers();
                // What a handler brings is not garbage.
                self.baseline = allocator::used();
                Reply::Undefined
            }
            Err((exception, place)) => Reply::Compile(exception, place),
        }
    }

    /// Calls a handler with an event. If the result may have no `bytes`, it is plain JSON.
    pub fn call_handler(&mut self, call: &CallContext, name: &str, event: Payload, gc: bool, bytes: bool) -> Reply {
        begin(call);
        let Some(handler) = self.handlers.get(name).cloned() else { return Reply::HandlerNotFound };
        let limit = self.output_limit;
        let reply = self.context.with(|ctx| {
            let reply = answer(&ctx, handler, event, bytes, limit).unwrap_or_else(|reply| reply);
            run_jobs(&ctx);
            reply
        });
        if gc {
            self.collect_garbage();
        }
        reply
    }

    /// Does what a call of a handler does, but for the handler.
    pub fn warm_up(&mut self) {
        self.context.with(|ctx| {
            let event = Payload::from_json(String::from(r#"{"text":"text","list":[1,{"a":null}]}"#));
            // Whether it works does not matter; there may be no memory left for it.
            let result =
                payload::decode(&ctx, &event).and_then(|event| payload::encode(&ctx, event, true, self.output_limit));
            if result.is_err() {
                ctx.catch();
            }
        });
        self.collect_garbage();
    }

    /// Collects cycles if the memory in use has grown. All other garbage is gone already: QuickJS counts references.
    fn collect_garbage(&mut self) {
        if allocator::used().saturating_sub(self.baseline) > COLLECTION_THRESHOLD {
            self.runtime.run_gc();
            self.baseline = allocator::used();
        } else {
            self.baseline = self.baseline.min(allocator::used());
        }
    }
}

/// Sets what a call brings.
fn begin(call: &CallContext) {
    clock::set(call);
    random::seed(call.seed);
}

/// What a handler makes of an event. A promise is awaited.
fn answer(
    ctx: &Ctx<'_>,
    handler: Persistent<Function<'static>>,
    event: Payload,
    bytes: bool,
    limit: usize,
) -> Result<Reply, Reply> {
    let thrown = |error: rquickjs::Error| Reply::Exception(exception::describe(ctx, &error));
    let value = payload::decode(ctx, &event).map_err(|error| match exception::describe(ctx, &error) {
        exception if exception.name == "SyntaxError" => Reply::InvalidEvent(exception.message),
        // It is fine, but there is no room for it.
        exception => Reply::Exception(exception),
    })?;
    // The handler may need the memory.
    drop(event);
    let handler = handler.restore(ctx).map_err(thrown)?;
    let result: Value = handler.call((value,)).map_err(thrown)?;
    let result = awaited(ctx, result).map_err(Reply::Exception)?;
    Ok(match payload::encode(ctx, result, bytes, limit).map_err(thrown)? {
        Encoded::Payload(result) => Reply::Value(result),
        Encoded::Undefined => Reply::Undefined,
        Encoded::TooLarge(size) => Reply::TooLarge(size as u64, limit as u64),
    })
}

/// The value that a promise is fulfilled with; a value that is no promise is its own.
fn awaited<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Value<'js>, Exception> {
    let Some(promise) = value.as_promise() else { return Ok(value) };
    settled(ctx, promise)
}

fn settled<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> Result<Value<'js>, Exception> {
    match promise.finish() {
        Ok(value) => Ok(value),
        Err(rquickjs::Error::WouldBlock) => Err(Exception::new(
            "Error",
            "the promise can never be settled: nothing is left to run that could settle it",
        )),
        Err(error) => Err(exception::describe(ctx, &error)),
    }
}

/// Runs what promises have put off until the current code is done.
fn run_jobs(ctx: &Ctx<'_>) {
    while ctx.execute_pending_job() {}
}
