//! Sources in TypeScript.

mod sandboxes;

use std::path::Path;

use hyperlight_js::{Error, Language, Program, SandboxBuilder, Script};
use sandboxes::{call, load_with, loaded};
use serde_json::json;

const SOURCE: &str = "export const handler = ({ a }: { a: number }): number => a! + 1;";

#[test]
fn a_script_is_typescript_if_that_is_said_or_if_its_name_says_so() {
    for (name, script) in [
        ("handler", Script::from(SOURCE).with_language(Language::TypeScript)),
        ("handler.ts", Script::from(SOURCE)),
        ("handler.mts", Script::from(SOURCE)),
    ] {
        let mut sandbox = loaded_as(name, script).expect(name);
        assert_eq!(sandbox.handle_event(name, r#"{"a":1}"#.into(), None).expect("a result"), "2");
    }
    for (name, script) in
        [("handler", Script::from(SOURCE)), ("a.ts", Script::from(SOURCE).with_language(Language::JavaScript))]
    {
        assert!(matches!(loaded_as(name, script), Err(Error::Compile { .. })), "{name}");
    }
}

fn loaded_as(name: &str, script: Script) -> hyperlight_js::Result<hyperlight_js::LoadedJSSandbox> {
    let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
    sandbox.add_handler(name, script)?;
    sandbox.get_loaded_sandbox()
}

#[test]
fn what_a_module_loader_gives_is_typescript_by_its_name_or_by_what_it_says() {
    let source = "import { a } from 'app:a.ts'; import { b } from 'app:b'; import { c } from 'app:c.ts';
        const handler = () => [a, b, c];";
    let mut sandbox = load_with(source, |proto| {
        proto.set_module_loader(|specifier, _| match specifier {
            "app:a.ts" => Some(Script::from("export const a: number = 1;")),
            "app:b" => Some(Script::from("export const b: number = 2;").with_language(Language::TypeScript)),
            "app:c.ts" => Some(Script::from("export const c = 3;").with_language(Language::JavaScript)),
            _ => None,
        });
    });
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([1, 2, 3]));
}

#[test]
fn a_snapshot_of_what_is_not_loaded_yet_knows_the_language() {
    let mut sandbox = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
    sandbox.add_handler("handler", Script::from(SOURCE).with_language(Language::TypeScript)).expect("add_handler");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let sandbox = SandboxBuilder::from_snapshot(snapshot).build().expect("build").load_runtime();
    let mut sandbox = sandbox.expect("load_runtime").get_loaded_sandbox().expect("it loads");
    assert_eq!(call(&mut sandbox, r#"{"a":1}"#).expect("a result"), json!(2));
}

#[test]
fn a_program_can_be_typescript() {
    let mut sandbox = loaded("function handler() {}");
    let clean = sandbox.snapshot().expect("a snapshot");
    let program = Program::new("import { f } from 'f.ts'; export default (a: number): number => f(a)")
        .with_language(Language::TypeScript)
        .with_module("f.ts", "export const f = (a: number): number => 2 * a;")
        .with_input("21");
    assert_eq!(sandbox.run(program, None).expect("a result"), "42");
    sandbox.restore(clean).expect("a restore");
    let error = sandbox.run(Program::new("let a: = 1").with_language(Language::TypeScript), None);
    let Err(Error::Compile { file, line, column, .. }) = error else { panic!("{error:?}") };
    assert_eq!((file.as_str(), line, column), ("run", 1, 8));
}

#[test]
fn a_source_that_the_parser_has_no_memory_for_ends_the_guest_and_says_so() {
    let source =
        format!("const all = [{}]; const handler = () => all.length;", "(x: number): number => x,".repeat(30_000));
    let builder = SandboxBuilder::new().with_guest_heap_size(8 << 20);
    let mut sandbox = builder.build().expect("build").load_runtime().expect("load_runtime");
    sandbox.add_handler("a.ts", Script::from(source)).expect("add_handler");
    let error = sandbox.get_loaded_sandbox().map(drop).expect_err("no room");
    assert!(matches!(&error, Error::GuestAbort(_)) && error.to_string().contains("out of memory"), "{error:?}");
}

#[test]
fn a_file_is_typescript_if_its_name_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, works) in [("handler.ts", true), ("handler.mts", true), ("handler.js", false)] {
        let path = folder.path().join(name);
        std::fs::write(&path, SOURCE).expect("a file");
        let script = Script::try_from(Path::new(&path)).expect("the file");
        assert_eq!(loaded_as("handler", script).is_ok(), works, "{name}");
    }
}
