//! A hostile guest and its host.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, SandboxStatus, Script, Snapshot, WallClockMonitor};

use crate::generators::guest::Behaviour;
use crate::hostile_guest::{self, Hostile, Level};
use crate::memory::peak_of;

/// Size of the buffers for messages in both directions, in bytes.
const BUFFER: usize = 64 << 10;
/// What a console line and the like may have, in bytes, with the words that say how much was cut off.
const TEXT: usize = (16 << 10) + 100;
/// A guest that does not end its call.
const TIMEOUT: Duration = Duration::from_millis(200);
/// A call takes longer only if it hangs.
const HANG: Duration = Duration::from_secs(20);
/// What a call may take of the host's memory, in bytes: a few copies of a message and of what is made of it.
const MEMORY: usize = 4 << 20;
/// The same for a guest whose kernel is hostile: what hyperlight-host's decoder of host calls allows, and a little.
const MEMORY_OF_KERNEL: usize = (2 << 30) + (1 << 20);

/// A sandbox whose guest becomes a hostile one and a clean one in turn.
struct Host {
    sandbox: LoadedJSSandbox,
    clean: Arc<Snapshot>,
    hostile: Hostile,
    level: Level,
    /// Length of the longest text that the host was given.
    longest: Arc<AtomicUsize>,
}

impl Host {
    fn new(level: Level) -> Self {
        let longest = Arc::new(AtomicUsize::new(0));
        let (seen, also_seen) = (longest.clone(), longest.clone());
        let builder = SandboxBuilder::new()
            .with_guest_heap_size(*SandboxBuilder::HEAP_SIZE_RANGE.start())
            .with_guest_input_buffer_size(BUFFER)
            .with_guest_output_buffer_size(BUFFER)
            .with_host_print_fn(move |_, line| {
                seen.fetch_max(line.len(), Ordering::Relaxed);
            });
        let mut proto = builder.build().expect("a sandbox");
        proto.register_raw("host", "echo", |_, arguments| Ok(Some(arguments))).expect("a host function");
        proto.set_module_loader(move |specifier, importer| {
            also_seen.fetch_max(specifier.len().max(importer.len()), Ordering::Relaxed);
            Some(Script::from_content(specifier))
        });
        let mut sandbox = proto.load_runtime().expect("a runtime");
        let source = "let count = 0; function handler() { return ++count; }";
        sandbox.add_handler("handler", Script::from_content(source)).expect("a handler");
        let mut sandbox = sandbox.get_loaded_sandbox().expect("a handler that loads");
        let clean = sandbox.snapshot().expect("a snapshot");
        let hostile = hostile_guest::hostile(&mut sandbox, level).expect("a hostile guest");
        let mut host = Self { sandbox, clean, hostile, level, longest };
        host.check_that_it_obeys();
        host
    }

    /// Were the script never found, all that follows would pass.
    fn check_that_it_obeys(&mut self) {
        let result = self.obey(&Behaviour::result("[1]"));
        assert_eq!(result.expect("it keeps to the protocol"), "[1]");
        // It finds no script in the answer, so it ends where its memory does.
        let result = self.obey(&Behaviour::console_line("a line"));
        assert!(matches!(result, Err(Error::GuestAbort(_))), "{result:?}");
        assert_eq!(self.longest.load(Ordering::Relaxed), "a line".len());
    }

    fn obey(&mut self, behaviour: &Behaviour) -> Result<String, Error> {
        let event = hostile_guest::event(&behaviour.script(&self.hostile.transport, self.level));
        self.sandbox.restore(self.hostile.snapshot.clone()).expect("the hostile guest");
        self.sandbox.handle_event("handler", event, None)
    }

    fn check(&mut self, behaviour: &Behaviour) {
        let mut script = behaviour.script(&self.hostile.transport, self.level);
        let mut event = hostile_guest::event(&script);
        while event.len() > BUFFER {
            script.remove(0);
            event = hostile_guest::event(&script);
        }
        self.sandbox.restore(self.hostile.snapshot.clone()).expect("the hostile guest");
        let monitor = WallClockMonitor::new(TIMEOUT).expect("a limit");
        let begin = Instant::now();
        let (result, peak) =
            peak_of(|| self.sandbox.handle_event_with_monitor("handler", event, &monitor, Some(false)));
        assert!(begin.elapsed() < HANG, "the call took {:?}", begin.elapsed());
        let limit = if self.level == Level::Runtime { MEMORY } else { MEMORY_OF_KERNEL };
        assert!(peak <= limit, "the call took {peak} bytes of the host's memory");
        let longest = self.longest.load(Ordering::Relaxed);
        assert!(longest <= TEXT, "the host was given a text of {longest} bytes");
        match &result {
            Ok(json) => assert!(json.len() <= BUFFER, "a result of {} bytes", json.len()),
            Err(Error::Guest { name, message, stack, .. }) => {
                for text in [name, message, stack] {
                    assert!(text.len() <= TEXT, "an exception with {} bytes", text.len());
                }
            }
            Err(Error::GuestAbort(text) | Error::InvalidEvent(text)) => {
                assert!(text.len() <= TEXT, "a reason of {} bytes", text.len());
            }
            Err(
                Error::Cancelled
                | Error::HandlerNotFound(_)
                | Error::PayloadTooLarge { what: "result", .. }
                | Error::TooManyValues { .. },
            ) => {}
            Err(other) => panic!("{other:?}"),
        }
        let poisoned = matches!(result, Err(Error::GuestAbort(_) | Error::Cancelled));
        let status = self.sandbox.status();
        assert_eq!(status, if poisoned { SandboxStatus::Poisoned } else { SandboxStatus::Ready }, "{result:?}");

        self.sandbox.restore(self.clean.clone()).expect("the clean guest");
        for count in ["1", "2"] {
            let result = self.sandbox.handle_event("handler", "0".to_string(), None);
            assert_eq!(result.expect("the clean guest answers"), count);
        }
    }
}

/// A guest that has taken over the JavaScript engine does what it likes: its call ends in time, with a value or one of the
/// errors for it, took no more of the host's memory than the threat model says, and left nothing behind for the clean guest that
/// comes after it.
pub fn runtime(behaviour: &Behaviour) {
    thread_local!(static HOST: RefCell<Option<Host>> = const { RefCell::new(None) });
    HOST.with_borrow_mut(|host| host.get_or_insert_with(|| Host::new(Level::Runtime)).check(behaviour));
}

/// As [`runtime`], for a guest whose kernel is hostile too.
pub fn kernel(behaviour: &Behaviour) {
    thread_local!(static HOST: RefCell<Option<Host>> = const { RefCell::new(None) });
    HOST.with_borrow_mut(|host| host.get_or_insert_with(|| Host::new(Level::Kernel)).check(behaviour));
}
