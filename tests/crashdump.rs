//! Core dumps of the guest.
#![cfg(feature = "crashdump")]

mod sandboxes;

use sandboxes::{call, loaded};

#[test]
fn a_core_dump_is_written_where_the_environment_says_and_the_sandbox_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // SAFETY: this is the only test of its program, so no other thread reads the environment.
    unsafe { std::env::set_var("HYPERLIGHT_CORE_DUMP_DIR", folder.path()) };
    let mut sandbox = loaded("let secret = 'a text ' + 'to be found'; function handler() { return secret; }");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), "a text to be found");
    sandbox.generate_crashdump().expect("a core dump");
    let files: Vec<_> =
        folder.path().read_dir().expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let dump = std::fs::read(file).expect("read");
    assert!(dump.starts_with(b"\x7fELF"));
    assert!(dump.windows(18).any(|bytes| bytes == b"a text to be found"), "the guest's memory is in it");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), "a text to be found");
}
