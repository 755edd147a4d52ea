//! JavaScript.
//!
//! One QuickJS runtime with one context. Handlers are ES modules; what they keep at module level lives as long as the
//! sandbox. A value that must differ between sandboxes or calls comes with the call: see [`clock`] and [`random`].

mod builtins;
mod bytes;
mod call_functions;
pub mod clock;
mod console;
mod contexts;
mod encode;
mod event_loop;
mod exception;
mod host;
mod host_promises;
mod json;
mod module;
mod new_value;
mod no_collections;
mod payload;
mod program;
mod random;
mod rejections;
mod scripts_of_unicode;
mod shared_memory;
mod source_maps;
mod stack;
mod typescript;
mod warm_up;
mod wrapper;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::{IntoIter, Vec};

use event_loop::{Goal, Progress};
use guest_abi::boot::Settings;
use guest_abi::call_options::CallOptions;
use guest_abi::function::ConsoleLevel;
use guest_abi::message::{CallContext, Exception, HostFunctionNames, HostReply, Reply};
use guest_abi::payload::Payload;
use guest_abi::program::ProgramMessage;
use guest_abi::source::Language;
use guest_abi::suspension::{HostResults, Suspension};
use module::Evaluation;
use payload::Encoded;
use rquickjs::{Context, Ctx, Function, Persistent, Promise, Runtime, Value};

use crate::allocator::{self, Limited};
use crate::gate;

/// How much the engine's memory may have grown before it is worth a collection. That writes to every object, so the first one
/// after a restore copies most of the heap; what it can find is at most this.
const COLLECTION_THRESHOLD: usize = 64 << 10;

type Handlers = BTreeMap<String, Persistent<Function<'static>>>;

pub struct Engine {
    runtime: Runtime,
    /// Bytes in use when there was least since the last collection, or since a handler was added.
    baseline: usize,
    context: Context,
    handlers: Handlers,
    output_limit: usize,
    /// Whether only our own code has run.
    is_untouched: bool,
    /// What is suspended, or running.
    activity: Option<Activity>,
}

/// What the host has asked for and not been given.
struct Activity {
    task: Task,
    stage: Stage,
    /// Whether a promise that was rejected and that nobody handles fails it.
    rejections_fail: bool,
}

enum Task {
    /// A call of a handler.
    Call { bytes: bool, gc: bool },
    /// The evaluation of a handler's module.
    Load(Evaluation),
}

enum Stage {
    /// A promise is to be settled.
    Pending(Persistent<Promise<'static>>),
    /// The reply is known, but there may be promises that keep the call open.
    Known(Reply),
}

/// What comes after a stage.
enum Next {
    Stage(Stage),
    /// It is not over: it waits for the host.
    Suspension(Suspension, Stage),
    End(Reply),
}

impl Engine {
    /// An engine without handlers.
    ///
    /// # Panics
    /// If the heap is too small for it.
    pub fn new(settings: &Settings) -> Self {
        builtins::compile().expect("built-in modules that compile");
        let memory = Limited::new(settings.javascript_limit as usize);
        let runtime = Runtime::new_with_alloc(memory).expect("memory for a JavaScript runtime");
        module::init();
        source_maps::init();
        rejections::install(&runtime);
        runtime.set_loader(module::Modules, module::Modules);
        let context = Context::full(&runtime).expect("memory for a JavaScript context");
        context.with(|ctx| {
            stack::limit(&ctx, settings.stack_size as usize);
            shared_memory::install(&ctx);
            bytes::install(&ctx).expect("memory for binary data");
            host::install(&ctx, settings.output_limit as usize).expect("memory for the errors of host functions");
            random::install(&ctx).expect("memory for random numbers");
            encode::install(&ctx).expect("memory for what values are made of");
            event_loop::install(&ctx).expect("memory for timers");
            builtins::install(&ctx).expect("built-in modules that work");
            call_functions::install(&ctx).expect("memory for the functions of calls");
            module::install(&ctx).expect("memory for require()");
            program::install(&ctx).expect("memory for what runs programs");
            warm_up::install(&ctx).expect("memory for a handler");
        });
        runtime.run_gc();
        let baseline = allocator::used();
        let (handlers, output_limit) = (BTreeMap::new(), settings.output_limit as usize);
        Self { runtime, baseline, context, handlers, output_limit, is_untouched: true, activity: None }
    }

    /// Makes host functions importable.
    pub fn set_host_functions(&mut self, names: &HostFunctionNames) {
        module::set_host_functions(names);
        self.context.with(|ctx| {
            if call_functions::set_for_all(&ctx, names).is_err() {
                // Without memory for it there is none for the code that would use it.
                ctx.catch();
            }
        });
    }

    /// Sets the variables of the environment, a JSON object of strings.
    pub fn set_environment(&mut self, variables: &str) {
        // Without room for them they are not there. The heap is far too small for code then.
        self.context.with(|ctx| {
            if builtins::set_environment(&ctx, variables).is_err() {
                ctx.catch();
            }
        });
    }

    /// Makes a module importable.
    pub fn add_module(&mut self, specifier: String, source: String, language: Language) {
        module::add(specifier, source, language);
    }

    /// Compiles a handler's module, evaluates it, and keeps its function.
    pub fn add_handler(
        &mut self,
        call: &CallContext,
        name: String,
        source: String,
        language: Language,
        rejections_fail: bool,
    ) -> Reply {
        begin(call);
        allocator::begin_call(None);
        self.is_untouched = false;
        source_maps::keep(&name, &source);
        let begun = self.context.with(|ctx| {
            let source = typescript::of_module(&name, source, language)?;
            let (evaluation, promise) = module::evaluate_handler(&ctx, name, source)?;
            let stage = Stage::Pending(Persistent::save(&ctx, promise));
            Ok(Activity { task: Task::Load(evaluation), stage, rejections_fail })
        });
        match begun {
            Ok(activity) => self.advance(activity, Vec::new()),
            Err((exception, place)) => self.refuse(Reply::Compile(exception, place)),
        }
    }

    /// Calls a handler with an event.
    pub fn call_handler(&mut self, call: &CallContext, name: &str, event: Payload, options: CallOptions) -> Reply {
        let CallOptions { gc, bytes, rejections_fail, memory_limit, functions } = options;
        begin(call);
        allocator::begin_call(memory_limit);
        let Some(handler) = self.handlers.get(name).cloned() else { return self.refuse(Reply::HandlerNotFound) };
        if let Err(reply) = self.context.with(|ctx| call_functions::begin(&ctx, &functions)) {
            return self.refuse(reply);
        }
        let limit = self.output_limit;
        let stage = self.context.with(|ctx| {
            let value = match payload::decode(&ctx, &event) {
                Ok(value) => value,
                Err(error) => {
                    return Stage::Known(match exception::describe(&ctx, &error) {
                        exception if exception.name == "SyntaxError" => Reply::InvalidEvent(exception.message),
                        // It is fine, but there is no room for it.
                        exception => Reply::Exception(exception),
                    });
                }
            };
            // The handler may need the memory.
            drop(event);
            match begin_handler(&ctx, handler, value) {
                Ok(Begun::Promise(promise)) => Stage::Pending(Persistent::save(&ctx, promise)),
                Ok(Begun::Value(value)) => Stage::Known(reply_of(&ctx, Ok(value), bytes, limit)),
                Err(error) => Stage::Known(Reply::Exception(exception::describe(&ctx, &error))),
            }
        });
        self.advance(Activity { task: Task::Call { bytes, gc }, stage, rejections_fail }, Vec::new())
    }

    /// Runs a program. If the result may have no `bytes`, it is plain JSON.
    pub fn run_program(&mut self, call: &CallContext, program: ProgramMessage, options: CallOptions) -> Reply {
        let CallOptions { gc, bytes, rejections_fail, memory_limit, functions } = options;
        begin(call);
        allocator::begin_call(memory_limit);
        self.is_untouched = false;
        let begun = self.context.with(|ctx| {
            let promise = program::begin(&ctx, program, &functions)?;
            Ok(Stage::Pending(Persistent::save(&ctx, promise)))
        });
        match begun {
            Ok(stage) => self.advance(Activity { task: Task::Call { bytes, gc }, stage, rejections_fail }, Vec::new()),
            Err(reply) => self.refuse(reply),
        }
    }

    /// A call has ended before guest code could wait for anything.
    fn refuse(&self, reply: Reply) -> Reply {
        self.context.with(|ctx| {
            call_functions::end(&ctx);
            let reply = source_maps::translate(&ctx, reply);
            allocator::end_call();
            reply
        })
    }

    /// Goes on with what is suspended.
    ///
    /// # Panics
    /// If nothing is.
    pub fn resume(&mut self, call: &CallContext, results: HostResults) -> Reply {
        begin(call);
        let activity = self.activity.take().expect("the host resumes what is suspended");
        self.advance(activity, results.0)
    }

    fn advance(&mut self, activity: Activity, results: Vec<(u64, HostReply)>) -> Reply {
        let Activity { task, mut stage, rejections_fail } = activity;
        let mut results = results.into_iter();
        loop {
            match self.run(&task, stage, &mut results) {
                Next::Stage(next) => stage = next,
                Next::Suspension(suspension, stage) => {
                    self.activity = Some(Activity { task, stage, rejections_fail });
                    return Reply::Suspended(suspension);
                }
                Next::End(reply) => return self.end(&task, reply, rejections_fail),
            }
        }
    }

    /// Runs what there is to run until a stage is over, or until that takes the host.
    fn run(&mut self, task: &Task, stage: Stage, results: &mut IntoIter<(u64, HostReply)>) -> Next {
        self.context.with(|ctx| {
            let goal = match &stage {
                Stage::Pending(promise) => Goal::Settled(promise.clone().restore(&ctx).expect("there is one engine")),
                Stage::Known(_) => Goal::Released,
            };
            let progress = match event_loop::run(&ctx, &goal, results, self.output_limit) {
                Ok(Progress::Suspended(suspension)) => return Next::Suspension(suspension, stage),
                progress => progress,
            };
            if let Goal::Settled(promise) = &goal {
                rejections::handled(&ctx, promise);
            }
            match (progress, stage, goal) {
                (Err(error), ..) => Next::End(task.failed(exception::describe(&ctx, &error))),
                (Ok(progress), Stage::Known(reply), _) => {
                    if matches!(progress, Progress::Stuck) {
                        console::write(ConsoleLevel::Error, String::from(KEPT_FOR_EVER));
                    }
                    Next::End(reply)
                }
                (Ok(Progress::Reached), _, Goal::Settled(promise)) => {
                    let result = promise.result().unwrap_or(Err(rquickjs::Error::WouldBlock));
                    Next::Stage(Stage::Known(task.reply(&ctx, result, self.output_limit, &mut self.handlers)))
                }
                (Ok(_), Stage::Pending(_), _) => Next::End(task.failed(never_settled())),
            }
        })
    }

    fn end(&mut self, task: &Task, reply: Reply, rejections_fail: bool) -> Reply {
        let is_result = matches!(reply, Reply::Value(_) | Reply::Undefined);
        let reply = self.context.with(|ctx| {
            run_jobs(&ctx);
            let rejected = if rejections_fail && is_result { rejections::take_first(&ctx) } else { None };
            rejections::report(&ctx);
            let reply = rejected.map_or(reply, |exception| task.failed(exception));
            let reply = source_maps::translate(&ctx, reply);
            allocator::end_call();
            event_loop::clear(&ctx);
            call_functions::end(&ctx);
            reply
        });
        match task {
            Task::Call { gc, .. } => {
                if *gc {
                    self.collect_garbage();
                }
            }
            Task::Load(_) => {
                gate::has_handlers();
                // What a handler brings is not garbage.
                self.baseline = allocator::used();
            }
        }
        reply
    }

    /// Does what a call of a handler does, with a handler of our own, and what a program does if none of the guest's code has
    /// run. None of it runs here: see [`warm_up`].
    pub fn warm_up(&mut self, call: &CallContext, event: &Payload) -> Reply {
        if self.runtime.is_job_pending() {
            return Reply::Undefined;
        }
        begin(call);
        allocator::begin_call(None);
        let reply = self.context.with(|ctx| {
            // Whether it works does not matter; there may be no memory left for it.
            warm_up::call(&ctx, event, self.output_limit).unwrap_or_else(|_| {
                ctx.catch();
                Reply::Undefined
            })
        });
        let (task, stage) = (Task::Call { bytes: true, gc: false }, Stage::Known(reply));
        let reply = self.advance(Activity { task, stage, rejections_fail: false }, Vec::new());
        if self.is_untouched {
            self.context.with(|ctx| warm_up::run_program(&ctx));
            // Nobody has seen the clocks yet, and how long the sandbox has been ready is nobody's business.
            clock::forget();
        }
        self.collect_garbage();
        reply
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

impl Task {
    /// The reply for what the promise has come to. A handler that has been loaded is put to the others.
    fn reply<'js>(
        &self,
        ctx: &Ctx<'js>,
        result: rquickjs::Result<Value<'js>>,
        limit: usize,
        handlers: &mut Handlers,
    ) -> Reply {
        match self {
            Self::Call { bytes, .. } => reply_of(ctx, result, *bytes, limit),
            Self::Load(evaluation) => match result.and_then(|_| evaluation.exported(ctx)) {
                Ok(value) => match value.into_function() {
                    Some(handler) => {
                        handlers.insert(evaluation.name().into(), Persistent::save(ctx, handler));
                        Reply::Undefined
                    }
                    None => self.failed(Exception::new("SyntaxError", evaluation.is_no_function())),
                },
                Err(error) => self.failed(exception::describe(ctx, &error)),
            },
        }
    }

    fn failed(&self, exception: Exception) -> Reply {
        match self {
            Self::Call { .. } => Reply::Exception(exception),
            Self::Load(evaluation) => {
                let (exception, place) = evaluation.failed(exception);
                Reply::Compile(exception, place)
            }
        }
    }
}

/// Sets what a call brings.
fn begin(call: &CallContext) {
    clock::set(call);
    random::seed(call.seed);
}

/// What a handler has returned.
enum Begun<'js> {
    Value(Value<'js>),
    Promise(Promise<'js>),
}

/// Calls a handler with an event. What it returns is awaited if it is thenable, as `await` does.
fn begin_handler<'js>(
    ctx: &Ctx<'js>,
    handler: Persistent<Function<'static>>,
    event: Value<'js>,
) -> rquickjs::Result<Begun<'js>> {
    let result: Value = handler.restore(ctx)?.call((event,))?;
    if let Some(promise) = result.as_promise() {
        return Ok(Begun::Promise(promise.clone()));
    }
    let Some(object) = result.as_object() else { return Ok(Begun::Value(result)) };
    let then: Value = object.get("then")?;
    if !then.is_function() {
        return Ok(Begun::Value(result));
    }
    let (promise, resolve, _) = ctx.promise()?;
    resolve.call::<_, ()>((result,))?;
    Ok(Begun::Promise(promise))
}

fn reply_of<'js>(ctx: &Ctx<'js>, result: rquickjs::Result<Value<'js>>, bytes: bool, limit: usize) -> Reply {
    match result.and_then(|value| payload::encode(ctx, value, bytes, limit)) {
        Ok(Encoded::Payload(result)) => Reply::Value(result),
        Ok(Encoded::Undefined) => Reply::Undefined,
        Ok(Encoded::TooLarge(size)) => Reply::TooLarge(size as u64, limit as u64),
        Err(error) => Reply::Exception(exception::describe(ctx, &error)),
    }
}

const KEPT_FOR_EVER: &str =
    "a promise that was given to waitUntil() can never be settled: nothing is left to run that could settle it";

fn never_settled() -> Exception {
    Exception::new("Error", "the promise can never be settled: nothing is left to run that could settle it")
}

fn settled<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> Result<Value<'js>, Exception> {
    let result = promise.finish();
    rejections::handled(ctx, promise);
    match result {
        Ok(value) => Ok(value),
        Err(rquickjs::Error::WouldBlock) => Err(never_settled()),
        Err(error) => Err(exception::describe(ctx, &error)),
    }
}

/// Runs what promises have put off until the current code is done.
fn run_jobs(ctx: &Ctx<'_>) {
    while contexts::run_job(ctx) {
        module::end_turn();
    }
}
