//! Snapshots on disk.

mod hostile;
mod sandboxes;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, Script, Snapshot};
use sandboxes::{call, loaded};
use serde_json::json;
use tempfile::TempDir;

const COUNTER: &str = "let count = 0; function handler() { return ++count; }";

/// A folder with a snapshot of a counter that has been called twice, and its digest.
fn saved() -> (TempDir, PathBuf, String) {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshot");
    let mut sandbox = loaded(COUNTER);
    (0..2).for_each(|_| drop(call(&mut sandbox, "0").expect("a result")));
    let digest = sandbox.snapshot().expect("a snapshot").save(&folder, None).expect("save");
    (parent, folder, digest)
}

fn started(snapshot: Snapshot) -> LoadedJSSandbox {
    let builder = SandboxBuilder::from_snapshot(Arc::new(snapshot));
    builder.build().expect("build").load_runtime().expect("load_runtime").get_loaded_sandbox().expect("loaded")
}

fn refusal(folder: &Path, digest: Option<&str>) -> String {
    match Snapshot::load(folder, digest).expect_err("it is refused") {
        Error::SnapshotFolder { path, reason } => {
            assert_eq!(path, folder);
            reason.to_string()
        }
        other => panic!("{other:?}"),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

#[test]
fn a_sandbox_starts_from_a_folder_in_the_state_that_was_saved() {
    let (_parent, folder, digest) = saved();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    for digest in [None, Some(digest.as_str())] {
        let mut sandbox = started(Snapshot::load(&folder, digest).expect("load"));
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 3);
        let snapshot = sandbox.snapshot().expect("a snapshot");
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 4);
        sandbox.restore(snapshot).expect("restore");
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 4);
    }
}

#[test]
fn a_snapshot_from_a_folder_can_be_restored_and_saved_like_any_other() {
    let (parent, folder, _) = saved();
    let snapshot = Arc::new(Snapshot::load(&folder, None).expect("load"));
    let mut sandbox = loaded("function handler() { return 'another'; }");
    for _ in 0..3 {
        sandbox.restore(snapshot.clone()).expect("restore");
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 3);
    }
    let again = parent.path().join("again");
    snapshot.save(&again, None).expect("save");
    assert_eq!(call(&mut started(Snapshot::load(&again, None).expect("load")), "0").expect("a result"), 3);
}

/// A snapshot of a handler that returns this number.
fn snapshot_of(number: u32) -> Arc<Snapshot> {
    loaded(&format!("function handler() {{ return {number}; }}")).snapshot().expect("a snapshot")
}

fn number(snapshot: Snapshot) -> u64 {
    call(&mut started(snapshot), "0").expect("a result").as_u64().expect("a number")
}

#[test]
fn a_folder_holds_several_snapshots_by_their_tags() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshots");
    let digests: Vec<_> = [("one", 1), ("2.0_rc-1", 2)]
        .into_iter()
        .chain([("latest", 3)])
        .map(|(tag, number)| (tag, number, snapshot_of(number).save(&folder, tag).expect("save")))
        .collect();
    for (tag, expected, digest) in &digests {
        assert_eq!(number(Snapshot::load(&folder, *tag).expect("load")), u64::from(*expected));
        assert_eq!(number(Snapshot::load(&folder, digest.as_str()).expect("load")), u64::from(*expected));
    }
    assert_eq!(number(Snapshot::load(&folder, None).expect("load")), 3);
}

#[test]
fn a_snapshot_whose_tag_another_has_taken_over_is_loaded_by_its_digest() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshots");
    let digests = [1, 2].map(|number| snapshot_of(number).save(&folder, "tag").expect("save"));
    assert_eq!(number(Snapshot::load(&folder, "tag").expect("load")), 2);
    for (digest, expected) in digests.iter().zip(1..) {
        assert_eq!(number(Snapshot::load(&folder, digest.as_str()).expect("load")), expected);
    }
    // Its files are checked as those of any other.
    let manifest = folder.join("blobs/sha256").join(digests[0].strip_prefix("sha256:").expect("SHA-256"));
    let content = fs::read(&manifest).expect("read");
    fs::write(&manifest, [content.as_slice(), b" "].concat()).expect("write");
    refusal(&folder, Some(&digests[0]));
    File::options().write(true).open(&manifest).and_then(|file| file.set_len(3 << 20)).expect("set_len");
    refusal(&folder, Some(&digests[0]));
    fs::remove_file(&manifest).expect("remove");
    let reason = refusal(&folder, Some(&digests[0]));
    assert!(reason.contains("has no snapshot"), "{reason}");
    // What is no manifest is refused as well.
    for file in files(&folder.join("blobs")) {
        let digest = format!("sha256:{}", file.file_name().and_then(|name| name.to_str()).expect("a digest"));
        match Snapshot::load(&folder, digest.as_str()) {
            Ok(snapshot) => assert_eq!((&digest, number(snapshot)), (&digests[1], 2)),
            Err(Error::SnapshotFolder { .. }) => assert_ne!(digest, digests[1]),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn threads_save_to_one_folder_at_the_same_time() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshots");
    let snapshots: Vec<_> = (0..4).map(snapshot_of).collect();
    std::thread::scope(|scope| {
        for (i, snapshot) in snapshots.iter().enumerate() {
            let folder = &folder;
            scope.spawn(move || snapshot.save(folder, format!("tag-{i}").as_str()).expect("save"));
        }
    });
    for i in 0..4 {
        assert_eq!(number(Snapshot::load(&folder, format!("tag-{i}").as_str()).expect("load")), i);
    }
}

#[test]
fn a_tag_is_checked_before_anything_is_written() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshots");
    let snapshot = snapshot_of(1);
    for tag in ["", ".", "-a", "a b", "a/b", "sha256:00", "ü", &"a".repeat(129)] {
        let error = snapshot.save(&folder, tag).expect_err("it is malformed");
        assert!(
            matches!(&error, Error::InvalidArgument(what) if what.to_string().contains("the tag must be")),
            "{error:?}"
        );
    }
    assert!(!folder.exists());
    snapshot.save(&folder, "a".repeat(128).as_str()).expect("save");
}

#[test]
fn what_becomes_of_the_files_afterwards_does_not_matter() {
    for change in [
        |file: &Path| fs::remove_file(file).expect("remove"),
        |file: &Path| File::options().write(true).open(file).and_then(|file| file.set_len(4096)).expect("truncate"),
        |file: &Path| fs::write(file, vec![0xcc; fs::metadata(file).expect("a size").len() as usize]).expect("write"),
    ] {
        for is_digest_given in [false, true] {
            let (parent, folder, digest) = saved();
            let snapshot = Snapshot::load(&folder, is_digest_given.then_some(digest.as_str())).expect("load");
            files(&folder).iter().for_each(|file| change(file));
            let again = parent.path().join("again");
            snapshot.save(&again, None).expect("it is whole");
            assert_eq!(call(&mut started(snapshot), "0").expect("a result"), 3);
            assert_eq!(call(&mut started(Snapshot::load(&again, None).expect("load")), "0").expect("a result"), 3);
        }
    }
}

#[test]
fn a_copy_of_the_files_has_no_name_once_it_is_loaded() {
    let (_parent, folder, _) = saved();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    // What a process sets for itself others of its threads see as well, so it is another process.
    let test = std::env::current_exe().expect("this program");
    let status = std::process::Command::new(test)
        .args(["--exact", "a_snapshot_is_loaded_where_a_variable_says", "--ignored"])
        .env("TMPDIR", temporary.path())
        .env("SNAPSHOT_FOLDER", &folder)
        .output()
        .expect("it runs");
    assert!(status.status.success(), "{status:?}");
}

#[test]
#[ignore = "another test runs it in a process of its own"]
fn a_snapshot_is_loaded_where_a_variable_says() {
    let folder = std::env::var_os("SNAPSHOT_FOLDER").expect("a folder");
    let temporary = std::env::temp_dir();
    let snapshot = Snapshot::load(&folder, None).expect("load");
    let maps = fs::read_to_string("/proc/self/maps").expect("the maps of this process");
    let copy = maps.lines().find(|map| map.contains(temporary.to_str().expect("a path"))).expect("the copy is mapped");
    assert!(copy.ends_with("(deleted)"), "{copy}");
    assert_eq!(fs::read_dir(&temporary).expect("a folder").count(), 0);
    assert_eq!(call(&mut started(snapshot), "0").expect("a result"), 3);
    fs::remove_dir(&temporary).expect("remove");
    // Without a folder for the copy there is another, or an error.
    let result = Snapshot::load(&folder, None);
    assert!(!matches!(result, Err(Error::Internal(_))), "{result:?}");
}

#[test]
fn loading_can_be_stopped() {
    let (_parent, folder, digest) = saved();
    let stopped = Snapshot::load_unless_stopped(&folder, digest.as_str(), &AtomicBool::new(true));
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
}

#[test]
fn memory_that_is_too_large_for_the_settings_is_refused_before_it_is_read() {
    let (_parent, folder, _) = saved();
    let size: u64 = 15 << 30;
    hostile::change(&folder, |config, _| config["memory_size"] = json!(size));
    let blobs = files(&folder.join("blobs"));
    // A file with nothing in it, as large as the configuration says.
    hostile::change_manifest(&folder, |manifest| manifest["layers"][0]["size"] = json!(size));
    for file in blobs.iter().filter(|file| fs::metadata(file).expect("a file").len() > 1 << 20) {
        File::options().write(true).open(file).and_then(|file| file.set_len(size)).expect("set_len");
    }
    let reason = refusal(&folder, None);
    assert!(reason.contains(&format!("{size} bytes, but at most ")), "{reason}");
}

#[test]
fn registers_and_functions_that_no_vm_can_have_are_refused_when_it_is_loaded() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 5] = [
        ("cr0", |config| config["sregs"]["cr0"] = json!(0x8000_0000_u64)),
        ("apic", |config| config["sregs"]["apic_base"] = json!(0xfee0_0d00_u64)),
        ("msrs", |config| config["msrs"] = json!([{ "index": 0x1234_5678, "value": 1 }])),
        ("functions", |config| config["host_functions"][0]["function_name"] = json!("Another")),
        ("names", |config| config["metadata"]["hyperlight-js"]["host_functions"] = json!([["", "f"]])),
    ];
    for (what, change) in changes {
        let (_parent, folder, _) = saved();
        hostile::change(&folder, |config, _| change(config));
        let result = Snapshot::load(&folder, None);
        assert!(matches!(result, Err(Error::SnapshotFolder { .. })), "{what}: {result:?}");
    }
}

#[test]
fn a_sandbox_from_a_snapshot_takes_handlers_once_it_is_unloaded() {
    let (_parent, folder, _) = saved();
    let builder = SandboxBuilder::from_snapshot(Arc::new(Snapshot::load(&folder, None).expect("load")));
    let mut sandbox = builder.build().expect("build").load_runtime().expect("load_runtime");
    for error in [
        sandbox.add_handler("other", Script::from_content(COUNTER)).expect_err("refused"),
        sandbox.add_module("other", Script::from_content(""), None).expect_err("refused"),
    ] {
        assert!(
            matches!(&error, Error::InvalidArgument(problem) if problem.to_string().contains("snapshot")),
            "{error:?}"
        );
    }
    let mut sandbox = sandbox.get_loaded_sandbox().expect("loaded").unload().expect("unload");
    sandbox.add_handler("handler", Script::from_content("function handler() { return typeof count; }")).expect("added");
    assert_eq!(call(&mut sandbox.get_loaded_sandbox().expect("loaded"), "0").expect("a result"), "undefined");
}

#[test]
fn the_settings_and_the_host_functions_are_those_of_the_snapshot() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("snapshot");
    let mut proto = SandboxBuilder::new().with_guest_heap_size(4 << 20).build().expect("build");
    proto.register_raw("host", "who", |_, _| Ok(Some("\"first\"".to_string()))).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "import { who } from 'host:host'; function handler() { return who(); }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox().expect("loaded").snapshot().expect("a snapshot").save(&folder, None).expect("save");
    let snapshot = Arc::new(Snapshot::load(&folder, None).expect("load"));

    let other = SandboxBuilder::from_snapshot(snapshot.clone()).with_guest_heap_size(8 << 20).build();
    assert!(matches!(other.map(drop), Err(Error::InvalidArgument(_))));

    let proto = SandboxBuilder::from_snapshot(snapshot.clone()).build().expect("build");
    let error = proto.load_runtime().map(drop).expect_err("a host function is missing");
    assert!(matches!(&error, Error::SnapshotMismatch(what) if what.to_string().contains("host:host who")), "{error:?}");

    let mut proto = SandboxBuilder::from_snapshot(snapshot).build().expect("build");
    proto.register_raw("host", "who", |_, _| Ok(Some("\"second\"".to_string()))).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime").get_loaded_sandbox().expect("loaded");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), "second");
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let (parent, folder, digest) = saved();
    refusal(&parent.path().join("nothing"), None);
    refusal(parent.path(), None);
    let file = parent.path().join("file");
    fs::write(&file, "text").expect("write");
    refusal(&file, None);
    for digest in ["", "other", ".latest", "latest/..", "sha256:00", &digest.replace("sha256:", "sha512:")] {
        refusal(&folder, Some(digest));
    }
    let (last, rest) = (digest.chars().last().expect("a digit"), &digest[..digest.len() - 1]);
    refusal(&folder, Some(&format!("{rest}{}", if last == '0' { '1' } else { '0' })));
}

#[test]
fn a_snapshot_that_was_cut_short_or_changed_is_refused_before_anything_runs() {
    let (_parent, folder, digest) = saved();
    let all = files(&folder);
    assert!(all.len() >= 5, "{all:?}");
    for file in all {
        let content = fs::read(&file).expect("read");
        let mut variants = vec![vec![], content[..content.len() / 2].to_vec(), content[..content.len() - 1].to_vec()];
        for at in [0, content.len() / 3, content.len() - 1] {
            let mut changed = content.clone();
            changed[at] ^= 1;
            variants.push(changed);
        }
        variants.push([content.as_slice(), b"x"].concat());
        for variant in variants {
            fs::write(&file, &variant).expect("write");
            // A change of what the folder says beside the snapshot, such as a blank, may change nothing.
            match Snapshot::load(&folder, digest.as_str()) {
                Err(Error::SnapshotFolder { .. }) => {}
                Ok(snapshot) => {
                    let name = file.file_name().expect("a name");
                    assert!(name == "index.json" || name == "oci-layout", "{file:?} was changed and passed");
                    assert_eq!(call(&mut started(snapshot), "0").expect("a result"), 3);
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        fs::remove_file(&file).expect("remove");
        refusal(&folder, Some(&digest));
        fs::write(&file, &content).expect("write");
    }
    assert_eq!(call(&mut started(Snapshot::load(&folder, None).expect("whole again")), "0").expect("a result"), 3);
}

#[test]
fn a_snapshot_of_another_library_or_version_is_refused() {
    use hyperlight_host::sandbox::snapshot::{OciTag, Snapshot as State};

    let (parent, folder, _) = saved();
    let tag = || OciTag::new("latest").expect("a tag");
    let state = State::load(&folder, tag()).expect("load");
    let other = |name: &str, metadata: serde_json::Value| {
        let folder = parent.path().join(name);
        let state = state.with_metadata("hyperlight-js", &metadata).expect("metadata");
        state.save(&folder, &tag()).expect("save");
        folder
    };
    let origin: serde_json::Value = state.metadata("hyperlight-js").expect("metadata").expect("there is some");
    for (name, field, value) in [
        ("version", "guest", serde_json::json!("0".repeat(64))),
        ("type", "guest", serde_json::json!(1)),
        ("list", "host_functions", serde_json::json!("none")),
        ("size", "configuration", serde_json::json!({})),
    ] {
        let mut changed = origin.clone();
        changed[field] = value;
        let reason = refusal(&other(name, changed), None);
        assert!(reason.contains("another version"), "{reason}");
    }
    let mut changed = origin.clone();
    changed["configuration"]["heap_size"] = serde_json::json!(u64::MAX);
    let reason = refusal(&other("range", changed), None);
    assert!(reason.contains("heap size"), "{reason}");
    let reason = refusal(&other("null", serde_json::Value::Null), None);
    assert!(reason.contains("version"), "{reason}");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let (parent, folder, _) = saved();
    let snapshot = Snapshot::load(&folder, None).expect("load");
    for folder in [parent.path().join("missing").join("folder"), folder.join("index.json")] {
        let error = snapshot.save(&folder, None).expect_err("it cannot be written");
        assert!(matches!(&error, Error::SnapshotFolder { path, .. } if *path == folder), "{error:?}");
    }
}
