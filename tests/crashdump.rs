//! Core dumps of the guest.
#![cfg(all(feature = "crashdump", feature = "test-guest"))]

mod sandboxes;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use guest_abi::function::Fault;
use hyperlight_js::{Error, SandboxBuilder};
use sandboxes::{call, load};

#[test]
fn core_dumps_are_written_where_the_environment_says_when_asked_for_and_when_the_guest_faults() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // SAFETY: this is the only test of its program, so no other thread reads the environment.
    unsafe { std::env::set_var("HYPERLIGHT_CORE_DUMP_DIR", folder.path()) };
    let source = "let secret = 'a text ' + 'to be found'; function handler() { return secret; }";
    let mut sandbox = load(SandboxBuilder::new().with_test_guest(), source).expect("the test guest");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), "a text to be found");
    sandbox.generate_crashdump().expect("a core dump");
    let first = files(folder.path());
    assert_eq!(call(&mut sandbox, "0").expect("a result"), "a text to be found", "the sandbox goes on");
    assert_eq!(files(folder.path()), first, "a call that ends well leaves none");

    assert!(matches!(sandbox.commit_fault(Fault::PrivilegedInstruction), Err(Error::GuestAbort(_))));
    let both = files(folder.path());
    assert_eq!((first.len(), both.len()), (1, 2), "{both:?}");
    for file in both {
        let dump = std::fs::read(file).expect("read");
        assert!(dump.starts_with(b"\x7fELF"));
        assert!(dump.windows(18).any(|bytes| bytes == b"a text to be found"), "the guest's memory is in it");
    }
}

fn files(folder: &Path) -> HashSet<PathBuf> {
    folder.read_dir().expect("the folder").map(|entry| entry.expect("an entry").path()).collect()
}
