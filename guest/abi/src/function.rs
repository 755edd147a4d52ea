//! Names and signatures of the functions that the host calls in the guest.
//!
//! The guest calls none of the host: an entry ends with what the guest asks for, see `host_request` and `suspension`. Behind each
//! reply there is its [use of the heap](crate::heap_report::HeapReport).

/// Kind of an argument or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
    /// `true` or `false`.
    Bool,
    /// A signed 32-bit integer.
    Int,
    /// Nothing.
    Void,
}

/// Name, arguments and result of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name by which it is called.
    pub name: &'static str,
    /// Kinds of its arguments.
    pub parameters: &'static [Kind],
    /// Kind of its result.
    pub result: Kind,
}

/// Guest function: says which host functions guest code can import. It is called before modules and handlers are added.
///
/// Argument: an encoded [list](crate::message::HostFunctionNames). Result: nothing.
pub const SET_HOST_FUNCTIONS: Signature =
    Signature { name: "SetHostFunctions", parameters: &[Kind::Bytes], result: Kind::Void };

/// Guest function: says which variables guest code finds in `process.env`. It is called before modules and handlers are added.
///
/// Argument: a JSON object whose values are strings. Result: nothing.
pub const SET_ENVIRONMENT: Signature =
    Signature { name: "SetEnvironment", parameters: &[Kind::Text], result: Kind::Void };

/// Guest function: registers a module's source. It is compiled when it is first imported.
///
/// Arguments: the specifier by which it is imported, its source, the code of its [language](crate::source::Language). Result: nothing.
pub const ADD_MODULE: Signature =
    Signature { name: "AddModule", parameters: &[Kind::Text, Kind::Text, Kind::Int], result: Kind::Void };

/// Guest function: keeps bytes for the next call of [`ADD_MODULE`], [`ADD_HANDLER`] or [`RUN`], behind those that it keeps
/// already. What such a call brings comes behind them: this is how a source comes that is larger than a message.
///
/// Argument: the bytes. Result: nothing.
pub const ADD_PIECE: Signature = Signature { name: "AddPiece", parameters: &[Kind::Bytes], result: Kind::Void };

/// Guest function: compiles a handler's source, evaluates it, and registers it. If that waits for the host, the reply is a
/// suspension, as for [`CALL_HANDLER`].
///
/// Arguments: a [call context](crate::message::CallContext), the handler's name, its source, the code of its language, whether
/// a promise that was rejected and that nobody handles is an error that the evaluation has thrown; if not, it is a line of the
/// console. Result: a [reply](crate::message::Reply).
pub const ADD_HANDLER: Signature = Signature {
    name: "AddHandler",
    parameters: &[Kind::Bytes, Kind::Text, Kind::Text, Kind::Int, Kind::Bool],
    result: Kind::Bytes,
};

/// Guest function: calls a handler. A reply of the kind [`Refused`](crate::message::Reply::Refused) says that it was not called.
///
/// Arguments: a [call context](crate::message::CallContext), [options](crate::call_options::CallOptions), the handler's name, the
/// event as a [payload](crate::payload::Payload). Result: a [reply](crate::message::Reply).
pub const CALL_HANDLER: Signature = Signature {
    name: "CallHandler",
    parameters: &[Kind::Bytes, Kind::Bytes, Kind::Text, Kind::Bytes],
    result: Kind::Bytes,
};

/// Guest function: runs a program, once: after that the guest can run no other. A reply of the kind
/// [`Refused`](crate::message::Reply::Refused) says that it has not begun.
///
/// Arguments: a [call context](crate::message::CallContext), [options](crate::call_options::CallOptions), the
/// [program](crate::program::ProgramMessage). Result: a [reply](crate::message::Reply).
pub const RUN: Signature =
    Signature { name: "Run", parameters: &[Kind::Bytes, Kind::Bytes, Kind::Bytes], result: Kind::Bytes };

/// Guest function: goes on with what was suspended, a call of a handler, a program, or the evaluation of a handler's source.
///
/// Arguments: a [call context](crate::message::CallContext), [what has come](crate::suspension::HostResults) of host calls.
/// Result: a [reply](crate::message::Reply).
pub const RESUME: Signature =
    Signature { name: "Resume", parameters: &[Kind::Bytes, Kind::Bytes], result: Kind::Bytes };

/// Guest function: goes on with a call that has asked the host for something.
///
/// Argument: the host's reply to the [request](crate::host_request::HostRequest). Result: a [reply](crate::message::Reply).
pub const HOST_REPLY: Signature = Signature { name: "HostReply", parameters: &[Kind::Bytes], result: Kind::Bytes };

/// Guest function: does nothing, so that what a call costs can be measured.
pub const ROUND_TRIP: Signature = Signature { name: "RoundTrip", parameters: &[], result: Kind::Void };

/// Guest function: touches the memory that a call needs. It does what [`CALL_HANDLER`] does, with a handler of the runtime's own
/// in place of the one that is named, and runs no code but the runtime's.
///
/// Arguments and result are those of [`CALL_HANDLER`]; the event is `{"text": string, "list": {"name": string, "price": number}[]}`.
pub const WARM_UP: Signature = Signature { name: "WarmUp", ..CALL_HANDLER };

/// Guest function: says what the kernel has counted.
///
/// Result: the [counters](crate::counters::Counter) in their order, 64 bits each, little endian.
pub const COUNTERS: Signature = Signature { name: "Counters", parameters: &[], result: Kind::Bytes };

/// Guest function: says which pages were copied since the sandbox was started or restored, the latest ones if they are many.
///
/// Result: the numbers of the pages, 32 bits each, little endian.
pub const COPIED_PAGES: Signature = Signature { name: "CopiedPages", parameters: &[], result: Kind::Bytes };

/// Guest function: says which pages to copy at once after a restore of a snapshot that is taken from now on: those that the
/// next call will probably write. It costs time if they are others, and nothing else.
///
/// Arguments: the numbers of the pages for a guest that has no handlers yet, and for one that has, as [`COPIED_PAGES`] gives
/// them; then those of further ones, which are copied when a call has written some that are in neither. Result: nothing.
pub const SET_WORKING_SETS: Signature =
    Signature { name: "SetWorkingSets", parameters: &[Kind::Bytes, Kind::Bytes, Kind::Bytes], result: Kind::Void };

/// Guest function of the test guest only: does something that must not work.
///
/// Argument: which [`Fault`] to commit. Result: a [reply](crate::message::Reply), with a number that says what happened if the
/// guest lived on.
pub const COMMIT_FAULT: Signature = Signature { name: "CommitFault", parameters: &[Kind::Int], result: Kind::Bytes };

/// Severity of a line on the console, least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum ConsoleLevel {
    /// `console.debug`, `console.trace`
    Debug = 0,
    /// `console.log`, `console.info`
    Info = 1,
    /// `console.warn`
    Warn = 2,
    /// `console.error`
    Error = 3,
}

impl ConsoleLevel {
    /// The level that `value` stands for; what stands for none is an error's.
    pub const fn from_int(value: i32) -> Self {
        match value {
            0 => Self::Debug,
            1 => Self::Info,
            2 => Self::Warn,
            _ => Self::Error,
        }
    }
}

/// What the test guest can be told to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Fault {
    /// Nothing wrong: returns the current privilege level.
    CurrentPrivilegeLevel = 0,
    /// Executes a privileged instruction (`hlt`).
    PrivilegedInstruction = 1,
    /// Writes to its own code.
    WriteToCode = 2,
    /// Writes to its own constants.
    WriteToConstants = 3,
    /// Jumps to its heap.
    JumpToData = 4,
    /// Touches the guard area below its stack.
    TouchGuardPage = 5,
    /// Reads kernel memory.
    ReadKernelMemory = 6,
    /// Writes to kernel memory.
    WriteKernelMemory = 7,
    /// Reads the page tables.
    ReadPageTables = 8,
    /// Writes to an I/O port.
    PortOutput = 9,
    /// Executes an undefined instruction.
    UndefinedInstruction = 10,
    /// Divides by zero.
    DivideByZero = 11,
    /// Calls the gate with an operation that does not exist.
    BadGateOperation = 12,
    /// Reads the null page.
    ReadNull = 13,
    /// Reads an address that is not canonical.
    ReadNonCanonical = 14,
    /// Panics.
    Panic = 15,
    /// Ends the call without answering it.
    HaltWithoutReply = 16,
    /// Recurses until its stack is used up.
    ExhaustStack = 17,
    /// Makes a system call.
    SystemCall = 18,
    /// Writes a model-specific register.
    WriteModelSpecificRegister = 19,
    /// Loops for ever.
    Loop = 20,
    /// Takes the gate with a stack pointer that points nowhere.
    GateWithoutStack = 21,
    /// Writes every page of its heap.
    ExhaustHeap = 22,
    /// Answers with a response that is not one.
    GarbageReply = 23,
    /// Counts up in a page of its own while the direction flag is set, and returns the count.
    FaultWithDirectionFlag = 24,
    /// Jumps to its stack.
    JumpToStack = 25,
    /// Jumps to its constants.
    JumpToConstants = 26,
    /// Jumps to a buffer that it shares with the host.
    JumpToTransport = 27,
    /// Uses the last page that it shares with the host, then reads the one behind it.
    ReadBehindTransport = 28,
    /// Raises a page fault by an instruction that names its vector.
    RaisePageFault = 29,
    /// Raises the vector that is a system call elsewhere.
    RaiseSystemCall = 30,
    /// Writes the last page of its heap; returns 1.
    TouchLastHeapPage = 31,
    /// Reads what the last page of its heap holds.
    ReadLastHeapPage = 32,
    /// Offers the host no buffers any more; returns -1.
    WithholdBuffers = 33,
    /// Runs the code that prepares pages.
    RunPrefault = 34,
    /// Claims to be that code, which is done.
    ClaimToBePrefault = 35,
    /// Writes to what that code is told to do.
    WritePlan = 36,
    /// Asks for pages to be copied that are none of its own, or none at all; returns 1.
    PlanForeignPages = 37,
    /// Asks for a counter with a number whose lower half alone is one; returns whether that is what it gets.
    CounterWithUpperHalf = 38,
    /// Asks for a counter that there is not.
    CounterOutOfRange = 39,
    /// Ends the call as the boot ends.
    ClaimToBeReady = 40,
    /// Takes the gate for operation 0.
    GateForNothing = 41,
    /// Takes the gate for an operation by which the host would look for messages in the midst of a call.
    NotifyHost = 42,
    /// Writes a line to the console that is too long by a byte.
    LongConsoleLine = 44,
    /// Calls a host function with arguments that are too large by a byte.
    LargeArguments = 45,
    /// Calls a host function with something that is no list of arguments.
    MalformedArguments = 46,
    /// Calls a host function whose name is too long by a byte.
    LongFunctionName = 47,
    /// Calls a host function of a module whose name is too long by a byte.
    LongModuleName = 48,
    /// Asks for a module whose specifier is too long by a byte.
    LongSpecifier = 49,
    /// Asks for a module in the name of one whose specifier is too long by a byte.
    LongImporter = 50,
    /// Answers the next call of a handler with a result that is too large by a byte; returns 1, as do those that follow.
    LargeResult = 51,
    /// As before, with an error whose name is too long by a byte.
    LongErrorName = 52,
    /// As before, with an error whose message is too long by a byte.
    LongErrorMessage = 53,
    /// As before, with an error whose stack is too long by a byte.
    LongErrorStack = 54,
    /// As before, with an error in a source whose name is too long by a byte.
    LongPlace = 55,
    /// As before, with a text about the event that is too long by a byte.
    LongEventError = 56,
    /// As before, and says that its result is too large though it is not.
    NotTooLarge = 57,
    /// As before, with something that is no reply.
    MalformedReply = 58,
    /// Answers with an error of hyperlight-host's whose text has a MiB.
    LongGuestError = 59,
    /// Suspends the next call of a handler though there is nothing that it could wait for; returns 1, as do those that follow.
    SuspendForNothing = 60,
    /// Suspends it with two host calls that have the same number.
    StartCallTwice = 61,
    /// Suspends it with a host call, then with the same call again.
    StartCallAgain = 62,
    /// Suspends it over and over again with a timer that is due.
    SuspendForEver = 63,
    /// Suspends it over and over again to be entered at once.
    SuspendAtOnce = 64,
    /// Suspends it with a timer that is due in 585 years.
    SuspendForCenturies = 65,
    /// Suspends it with what says that it holds 2^32 host calls.
    StartTooManyCalls = 66,
    /// Suspends it with a host call of a module whose name is too long by a byte.
    StartWithLongName = 67,
    /// Suspends it with a host call whose arguments are too large by a byte.
    StartWithLargeArguments = 68,
    /// Suspends it over and over again, each time with as many host calls as a message may hold.
    StartForEver = 69,
    /// Sends a call of the host that takes 2 GB when it is decoded, and takes the gate as in [`NotifyHost`](Self::NotifyHost).
    AmplifyAndNotify = 70,
    /// Sends the same and ends the entry.
    AmplifyAndHalt = 71,
    /// Sends it as a reply and ends the entry.
    AmplifyReply = 72,
    /// Says of the next call of a handler that it is refused; returns 1, as do those that follow.
    RefuseCall = 73,
    /// Runs the code that maps fresh pages.
    RunFill = 74,
    /// Claims to be that code, which is done.
    ClaimToBeFilled = 75,
    /// Writes to some pages of the heap with something in every register; gives 1 if all is as it was.
    TouchWithAllRegisters = 76,
    /// On arm64, calls the hypervisor.
    HypervisorCall = 77,
    /// On arm64, calls the secure monitor.
    SecureMonitorCall = 78,
    /// On arm64, hits a breakpoint that is an instruction.
    Breakpoint = 79,
    /// On arm64, reads what another may not change meanwhile, at an address that is not aligned, across 16 bytes.
    MisalignedAtomic = 80,
    /// On arm64, jumps into the midst of an instruction.
    MisalignedJump = 81,
    /// On arm64, writes the kernel's memory back from the cache.
    CleanForeignCache = 82,
    /// On arm64, allows itself to be debugged.
    DebugRegister = 83,
    /// On arm64, waits for an interrupt.
    WaitForInterrupt = 84,
    /// On arm64, reads a counter that is the host's.
    PhysicalCounter = 85,
    /// On arm64, allows interrupts.
    UnmaskInterrupts = 86,
    /// On arm64, jumps to the kernel's code.
    JumpToKernel = 87,
}
