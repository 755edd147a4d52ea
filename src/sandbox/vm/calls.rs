//! The calls into a guest, entry by entry: what is sent, and what each reply means.

use std::sync::Arc;
use std::time::Duration;

use guest_abi::call_options;
use guest_abi::function::{self, Signature};
use guest_abi::message::{Exception, Place, Reply};
use guest_abi::payload::Payload;
use guest_abi::suspension::{HostResults, Suspension};
use hyperlight_common::func::ParameterTuple;

use super::{Step, Vm};
use crate::sandbox::call_context::context;
use crate::sandbox::call_control::CallGuard;
use crate::sandbox::call_settings::CallSettings;
use crate::sandbox::error::{Error, Result};
use crate::sandbox::host_functions::HostFunctions;
use crate::sandbox::image;
use crate::sandbox::intake::UnhandledRejections;
use crate::sandbox::invalid_argument::InvalidArgument;
use crate::sandbox::program::Program;
use crate::sandbox::reply::{self, Breach, CheckedRequest};
use crate::sandbox::script::Script;
use crate::sandbox::signatures::{
    AddHandler, AddModule, AddPiece, CallHandler, HostReplyBytes, Resume, Run, SetEnvironment, SetHostFunctions,
};
use crate::sandbox::stats::GuestCounters;
use crate::sandbox::stopper::{self, Limit};
use crate::sandbox::suspended::Suspended;
use crate::sandbox::working_sets::{WorkingSets, warm_up_call};
use crate::sandbox::{host_reply, name, values};

impl Vm {
    /// Makes the host functions importable in the guest, which must have just booted.
    pub fn announce_host_functions(&mut self, running: &CallGuard) -> Result<()> {
        if self.host_functions.is_empty() {
            return Ok(());
        }
        let names: SetHostFunctions = self.host_functions.names().to_bytes();
        check_size("list of host functions", names.len(), self.configuration.input_size)?;
        self.call::<()>(running, &function::SET_HOST_FUNCTIONS, names)?;
        self.origin = self.available();
        Ok(())
    }

    /// Gives the guest the variables of its environment. It must have just booted.
    pub fn set_environment(&mut self, running: &CallGuard) -> Result<()> {
        let Some(variables) = self.environment.to_json() else { return Ok(()) };
        let variables: SetEnvironment = variables;
        check_size("environment", variables.len(), self.configuration.input_size)?;
        self.call(running, &function::SET_ENVIRONMENT, variables)
    }

    /// Makes a module importable in the guest.
    pub fn add_module(&mut self, running: &CallGuard, specifier: &str, script: &Script) -> Result<()> {
        check_size("source of a module", script.content().len(), self.configuration.source_limit())?;
        let source = self.rest_of_source(running, script.content())?;
        let arguments: AddModule = (specifier.to_string(), source, script.language_as(specifier).code().into());
        self.call(running, &function::ADD_MODULE, arguments)
    }

    /// Compiles a handler, begins to evaluate it, and registers it when that has ended.
    pub fn begin_load(
        &mut self,
        running: &CallGuard,
        name: &str,
        script: &Script,
        rejections: Option<UnhandledRejections>,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        name::check("handler", name)?;
        check_size("source of a handler", script.content().len(), self.configuration.source_limit())?;
        let rejections_fail = self.do_rejections_fail(rejections);
        let source = self.rest_of_source(running, script.content())?;
        let language = script.language_as(name).code().into();
        let arguments: AddHandler =
            (context().to_bytes().to_vec(), name.to_string(), source, language, rejections_fail);
        let reply = self.call_for_reply(running, &function::ADD_HANDLER, arguments)?;
        self.load_step(reply, suspended)
    }

    /// Sends a source, or an encoded program, in pieces if there is no room for it in the message of the call that needs it:
    /// whether it did. Then that call brings nothing.
    fn send_ahead(&mut self, running: &CallGuard, bytes: &[u8], room: usize) -> Result<bool> {
        if bytes.len() <= room {
            return Ok(false);
        }
        for piece in bytes.chunks(self.configuration.input_size) {
            let piece: AddPiece = piece.to_vec();
            // A guest that has some of the pieces can do nothing else any more.
            self.call::<()>(running, &function::ADD_PIECE, piece).inspect_err(|_| self.poisoned = true)?;
        }
        Ok(true)
    }

    /// What of a source is to be sent with the call that needs it, when the rest has been sent.
    fn rest_of_source(&mut self, running: &CallGuard, source: &str) -> Result<String> {
        let is_sent = self.send_ahead(running, source.as_bytes(), self.configuration.input_size)?;
        Ok(if is_sent { String::new() } else { source.to_string() })
    }

    /// Goes on with the evaluation of a handler that is suspended.
    pub fn resume_load(
        &mut self,
        running: &CallGuard,
        results: HostResults,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        let reply = self.resume(running, results)?;
        self.load_step(reply, suspended)
    }

    /// Whether unhandled rejections fail a call that may have said so.
    fn do_rejections_fail(&self, asked: Option<UnhandledRejections>) -> bool {
        asked.unwrap_or(self.unhandled_rejections) == UnhandledRejections::Error
    }

    fn load_step(&mut self, reply: Reply, suspended: &mut Suspended) -> Result<Step> {
        match reply {
            Reply::Undefined => Ok(Step::Ended(None)),
            Reply::Suspended(suspension) => self.suspend(suspension, suspended),
            Reply::Compile(exception, place) => Err(compile_error(exception, place)),
            _ => Err(self.protocol_broken("it answered a handler's registration with something else")),
        }
    }

    /// Begins a call of a handler with an event. It can call these functions until it ends.
    pub fn begin_handler(
        &mut self,
        running: &CallGuard,
        name: &str,
        event: Payload,
        functions: HostFunctions,
        options: CallSettings,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        self.limit_host_calls(running, options.host_calls);
        name::check_size("handler", name)?;
        check_size("event", event.size(), self.configuration.input_size)?;
        let has_functions = !functions.is_empty();
        let encoded = self.begin_call(functions, options)?;
        let arguments: CallHandler = (context().to_bytes().to_vec(), encoded, name.to_string(), event.into_bytes());
        let reply = self.call_for_reply(running, &function::CALL_HANDLER, arguments)?;
        if has_functions {
            self.first_step(reply, name, options, suspended)
        } else {
            // Nothing else of the call can be refused.
            self.step(reply, name, options.bytes, suspended)
        }
    }

    /// Begins to run a program. It can call its functions until it ends.
    pub fn begin_program(
        &mut self,
        running: &CallGuard,
        name: &str,
        program: Program,
        options: CallSettings,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        self.limit_host_calls(running, options.host_calls);
        let (size, limit) = (self.configuration.input_size, self.configuration.source_limit());
        check_size("source", program.source.len(), limit)?;
        let (program, functions) = program.into_parts();
        let encoded = self.begin_call(functions, options)?;
        let mut program = program.into_bytes();
        check_size("program with its input, modules and names of functions", program.len() + encoded.len(), limit)?;
        if self.send_ahead(running, &program, size - encoded.len())? {
            program = Vec::new();
        }
        let arguments: Run = (context().to_bytes().to_vec(), encoded, program);
        match self.call_for_reply(running, &function::RUN, arguments)? {
            Reply::Compile(exception, place) => Err(compile_error(exception, place)),
            reply => self.first_step(reply, name, options, suspended),
        }
    }

    /// Gives a call that begins its functions, and what the guest is told of it.
    fn begin_call(
        &mut self,
        functions: HostFunctions,
        CallSettings { gc, bytes, rejections, memory_limit, .. }: CallSettings,
    ) -> Result<Vec<u8>> {
        let names = functions.names();
        self.origin.check_kinds(&names)?;
        let rejections_fail = self.do_rejections_fail(rejections);
        let encoded =
            call_options::CallOptions { gc, bytes, rejections_fail, memory_limit, functions: names }.to_bytes();
        check_size("list of host functions", encoded.len(), self.configuration.input_size)?;
        self.dispatcher.set_functions_of_call(functions);
        Ok(encoded)
    }

    fn first_step(
        &mut self,
        reply: Reply,
        name: &str,
        options: CallSettings,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        match reply {
            Reply::Refused(message) => Err(InvalidArgument::Refused(message).into()),
            reply => self.step(reply, name, options.bytes, suspended),
        }
    }

    /// A call has ended: nothing can call its functions any more.
    pub fn end_call(&mut self) {
        self.dispatcher.set_functions_of_call(HostFunctions::default());
    }

    /// Goes on with a call of a handler that is suspended, of that name and with those options.
    pub fn resume_handler(
        &mut self,
        running: &CallGuard,
        name: &str,
        CallSettings { bytes, .. }: CallSettings,
        results: HostResults,
        suspended: &mut Suspended,
    ) -> Result<Step> {
        let reply = self.resume(running, results)?;
        self.step(reply, name, bytes, suspended)
    }

    fn resume(&mut self, running: &CallGuard, results: HostResults) -> Result<Reply> {
        let arguments: Resume = (context().to_bytes().to_vec(), results.into_bytes());
        self.is_suspended = false;
        // If the guest does not go on with its call, it can do nothing else any more.
        self.call_for_reply(running, &function::RESUME, arguments).inspect_err(|_| self.poisoned = true)
    }

    fn suspend(&mut self, suspension: Suspension, suspended: &mut Suspended) -> Result<Step> {
        suspended.suspend(suspension, &self.dispatcher).map_err(|what| self.protocol_broken(what))?;
        self.is_suspended = true;
        Ok(Step::Suspended)
    }

    /// Most bytes that results of host calls may take in one message.
    pub fn results_limit(&self) -> usize {
        self.configuration.input_size
    }

    fn step(&mut self, reply: Reply, name: &str, bytes: bool, suspended: &mut Suspended) -> Result<Step> {
        match reply {
            Reply::Value(result) if !bytes && result.byte_arrays().len() > 0 => {
                Err(self.protocol_broken("it answered with bytes where it was asked for JSON"))
            }
            Reply::Value(result) => {
                values::check("result", &result, self.max_values)?;
                Ok(Step::Ended(Some(result)))
            }
            Reply::Undefined => Ok(Step::Ended(None)),
            Reply::Suspended(suspension) => self.suspend(suspension, suspended),
            Reply::Exception(exception) => Err(Error::Guest {
                name: exception.name,
                message: exception.message,
                stack: exception.stack,
                details: exception.details,
            }),
            Reply::HandlerNotFound => Err(Error::HandlerNotFound(name.to_string())),
            Reply::InvalidEvent(message) => Err(Error::InvalidEvent(message)),
            Reply::TooLarge(size, limit) => Err(Error::PayloadTooLarge { what: "result", size, limit }),
            // What it has asked for in its midst has been answered before this.
            Reply::Compile(..) | Reply::Refused(_) | Reply::HostRequest(_) => {
                Err(self.protocol_broken("it answered an event with something else"))
            }
        }
    }

    /// Enters the guest and comes back.
    pub fn round_trip(&mut self) -> Result<()> {
        self.call(&self.begin(), &function::ROUND_TRIP, ())
    }

    /// Has the guest touch what a call needs.
    pub fn warm_up(&mut self) -> Result<()> {
        self.call::<Vec<u8>>(&self.begin(), &function::WARM_UP, warm_up_call()).map(drop)
    }

    /// The same in a VM that was just started and will be in stock. Nobody else could stop it should it take longer than so.
    pub fn warm_up_ahead(&mut self, limit: Duration) -> Result<()> {
        let running = self.begin();
        let watched = stopper::watch(&self.control, running.id(), vec![Limit::wall_clock("stock", limit)]);
        self.call::<Vec<u8>>(&running, &function::WARM_UP, warm_up_call())?;
        drop(watched);
        self.is_untouched = true;
        Ok(())
    }

    /// A snapshot will be taken, to be restored before each program. If the guest has done nothing but boot, it prepares what
    /// programs write then, instead of what handlers do.
    pub fn expect_programs(&mut self) -> Result<()> {
        let booted = image::booted(&self.configuration)?;
        match booted.programs {
            Some(sets) if self.is_untouched && Arc::ptr_eq(&self.base, &booted.state) => {
                let WorkingSets { without_handlers, with_handlers, further } = &*sets;
                let arguments = (without_handlers.clone(), with_handlers.clone(), further.clone());
                self.call(&self.begin(), &function::SET_WORKING_SETS, arguments)
            }
            _ => Ok(()),
        }
    }

    /// What the guest's kernel has counted.
    pub fn counters(&mut self) -> Result<GuestCounters> {
        let bytes: Vec<u8> = self.call(&self.begin(), &function::COUNTERS, ())?;
        self.checked(|_| reply::counters(&bytes))
    }

    fn call_for_reply(
        &mut self,
        running: &CallGuard,
        signature: &Signature,
        arguments: impl ParameterTuple,
    ) -> Result<Reply> {
        let heap_size = self.configuration.heap_size;
        let mut bytes: Vec<u8> = self.call(running, signature, arguments)?;
        loop {
            let heap = self.checked(|_| reply::heap_use(&mut bytes, heap_size))?;
            running.tally().heap_use(heap.used, heap.peak);
            match self.checked(|output_size| reply::reply(bytes, output_size))? {
                Reply::HostRequest(call) => {
                    let request = self.checked(|output_size| reply::request(call, output_size))?;
                    let counted = match request {
                        CheckedRequest::Function { .. } => running.tally().host_call(),
                        _ => Ok(()),
                    };
                    let reply: HostReplyBytes = match counted {
                        Ok(()) => self.dispatcher.serve(request, &self.control),
                        Err(refusal) => host_reply::refused(refusal).into_bytes(),
                    };
                    // If the guest does not get its answer, it can do nothing else any more.
                    bytes = self.call(running, &function::HOST_REPLY, reply).inspect_err(|_| self.poisoned = true)?;
                }
                reply => return Ok(reply),
            }
        }
    }

    /// What the guest says, if it may say that, given the most bytes of what it gives or sends.
    fn checked<T>(&mut self, check: impl FnOnce(usize) -> std::result::Result<T, Breach>) -> Result<T> {
        check(self.configuration.output_size).map_err(|Breach(what)| self.protocol_broken(&what))
    }

    #[cfg(feature = "test-guest")]
    pub fn commit_fault(&mut self, fault: function::Fault) -> Result<i32> {
        match self.call_for_reply(&self.begin(), &function::COMMIT_FAULT, fault as i32)? {
            Reply::Value(number) => number.json().parse().map_err(|_| self.protocol_broken("it gave no number")),
            _ => Err(self.protocol_broken("it answered a fault with something else")),
        }
    }
}

fn compile_error(exception: Exception, place: Place) -> Error {
    Error::Compile {
        name: exception.name,
        message: exception.message,
        file: place.file,
        line: place.line,
        column: place.column,
        stack: exception.stack,
        details: exception.details,
    }
}

fn check_size(what: &'static str, size: usize, limit: usize) -> Result<()> {
    if size <= limit { Ok(()) } else { Err(Error::PayloadTooLarge { what, size: size as u64, limit: limit as u64 }) }
}
