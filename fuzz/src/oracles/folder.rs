//! Folders with snapshots that somebody has changed.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, Script, Snapshot, WallClockMonitor};
use tempfile::TempDir;

use crate::folder::Folder;
use crate::generators::folder::Changes;
use crate::hostile_guest::memory_folder;
use crate::memory::peak_of;

/// A guest that does not end its call.
const TIMEOUT: Duration = Duration::from_millis(200);
/// All of it takes longer only if something hangs.
const HANG: Duration = Duration::from_secs(30);
/// What loading may take beside the folder, in bytes.
const SLACK: usize = 4 << 20;

struct Original {
    parent: TempDir,
    folder: Folder,
    snapshot: Arc<Snapshot>,
    /// A sandbox into which the changed snapshot is restored, and then the original again.
    sandbox: LoadedJSSandbox,
}

impl Original {
    fn new() -> Self {
        let builder = SandboxBuilder::new()
            .with_guest_heap_size(*SandboxBuilder::HEAP_SIZE_RANGE.start())
            .with_guest_input_buffer_size(4096)
            .with_guest_output_buffer_size(4096);
        let mut sandbox = builder.build().and_then(|proto| proto.load_runtime()).expect("a sandbox");
        let source = "let count = 0; function handler() { return ++count; }";
        sandbox.add_handler("handler", Script::from_content(source)).expect("a handler");
        let mut sandbox = sandbox.get_loaded_sandbox().expect("a handler that loads");
        let parent = tempfile::tempdir_in(memory_folder()).expect("a folder");
        let snapshot = sandbox.snapshot().expect("a snapshot");
        let path = parent.path().join("original");
        snapshot.save(&path, None).expect("a saved snapshot");
        let folder = Folder::read(&path).expect("what was saved");
        Self { parent, folder, snapshot, sandbox }
    }

    fn check(&mut self, changes: &Changes) {
        let path = self.parent.path().join("changed");
        let _ = std::fs::remove_dir_all(&path);
        changes.write(&self.folder, &path).expect("a changed snapshot");
        let begin = Instant::now();
        let (loaded, peak) = peak_of(|| Snapshot::load(&path, None));
        assert!(peak <= 2 * self.folder.memory.len() + SLACK, "loading took {peak} bytes");
        match loaded {
            Ok(snapshot) => self.use_changed(Arc::new(snapshot)),
            Err(Error::SnapshotFolder { .. }) => {}
            Err(other) => panic!("loading: {other:?}"),
        }
        self.sandbox.restore(self.snapshot.clone()).expect("the original");
        assert_eq!(self.sandbox.handle_event("handler", "0".to_string(), None).expect("a result"), "1");
        assert!(begin.elapsed() < HANG, "it took {:?}", begin.elapsed());
    }

    fn use_changed(&mut self, snapshot: Arc<Snapshot>) {
        match self.sandbox.restore(snapshot.clone()) {
            Ok(()) => call(&mut self.sandbox),
            Err(Error::SnapshotMismatch(_)) => {}
            Err(other) => panic!("restore: {other:?}"),
        }
        let started = SandboxBuilder::from_snapshot(snapshot).build().and_then(|proto| proto.load_runtime());
        match started.and_then(|sandbox| sandbox.get_loaded_sandbox()) {
            Ok(mut sandbox) => call(&mut sandbox),
            Err(Error::SnapshotMismatch(_)) => {}
            Err(other) => panic!("a sandbox from the snapshot: {other:?}"),
        }
    }
}

fn call(sandbox: &mut LoadedJSSandbox) {
    let monitor = WallClockMonitor::new(TIMEOUT).expect("a limit");
    match sandbox.handle_event_with_monitor("handler", "0".to_string(), &monitor, None) {
        Ok(_)
        | Err(
            Error::Guest { .. }
            | Error::GuestAbort(_)
            | Error::Cancelled
            | Error::HandlerNotFound(_)
            | Error::InvalidEvent(_)
            | Error::PayloadTooLarge { what: "result", .. }
            | Error::TooManyValues { .. },
        ) => {}
        Err(other) => panic!("a call: {other:?}"),
    }
}

/// A changed folder is refused with the error for it, or it makes a guest, which may be a hostile one: then its calls end in
/// time, with a value or one of the errors for it. It leaves nothing behind for a clean snapshot.
pub fn changed(changes: &Changes) {
    thread_local!(static ORIGINAL: RefCell<Option<Original>> = const { RefCell::new(None) });
    ORIGINAL.with_borrow_mut(|original| original.get_or_insert_with(Original::new).check(changes));
}
