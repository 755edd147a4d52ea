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
fn a_source_that_there_is_no_memory_for_is_refused_with_a_place() {
    let source =
        format!("const all = [{}]; const handler = () => all.length;", "(x: number): number => x,".repeat(30_000));
    let builder = SandboxBuilder::new().with_guest_heap_size(8 << 20);
    let mut sandbox = builder.build().expect("build").load_runtime().expect("load_runtime");
    sandbox.add_handler("a.ts", Script::from(source)).expect("add_handler");
    let error = sandbox.get_loaded_sandbox().map(drop).expect_err("no room");
    let Error::Compile { file, line, message, .. } = &error else { panic!("{error:?}") };
    assert_eq!((file.as_str(), *line), ("a.ts", 1));
    assert!(message.contains("there is not enough memory to compile the source"), "{message}");
}

#[test]
fn guest_code_goes_on_after_a_module_that_is_nested_too_deeply_or_too_large() {
    let mut sandbox = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
    for (name, source) in [
        ("brackets", "(".repeat(1 << 20)),
        ("types", format!("let a: {}", "[".repeat(1 << 20))),
        ("operators", format!("{}1", "1+".repeat(2 << 20))),
        ("members", format!("a{}", ".b".repeat(100_000))),
        ("branches", format!("{};", "if (a) 1; else ".repeat(20_000))),
        ("list", format!("[{}]", "1,".repeat(2 << 20))),
        ("fine", "export const a: number = 1;".to_string()),
    ] {
        sandbox.add_module(&format!("{name}.ts"), Script::from(source), None).expect("add_module");
    }
    let source = "const handler = async (name) => import(name).then(() => 'compiled', (error) => error.message);";
    sandbox.add_handler("handler", Script::from(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("it loads");
    for (name, message) in [
        ("brackets", "the source is nested too deeply"),
        ("types", "the source is nested too deeply"),
        ("operators", "there is not enough memory to compile the source"),
        ("members", "the source is nested too deeply"),
        ("branches", "the source is nested too deeply"),
        ("list", "there is not enough memory to compile the source"),
        ("fine", "compiled"),
    ] {
        assert_eq!(call(&mut sandbox, &format!("\"user:{name}.ts\"")).expect(name), json!(message), "{name}");
    }
}

#[test]
fn jsx_is_a_language_by_a_name_or_by_what_is_said() {
    let jsx = "const React = { createElement: (...parts) => parts };
        export const handler = ({ a }) => <p b={a}>c{1}</p>;";
    let tsx = jsx.replace("({ a })", "({ a }: { a: number }): unknown[]");
    for (name, script) in [
        ("handler.jsx", Script::from(jsx)),
        ("handler.tsx", Script::from(tsx.as_str())),
        ("handler", Script::from(jsx).with_language(Language::Jsx)),
        ("handler.js", Script::from(tsx.as_str()).with_language(Language::Tsx)),
    ] {
        let mut sandbox = loaded_as(name, script).expect(name);
        assert_eq!(sandbox.handle_event(name, r#"{"a":1}"#.into(), None).expect("a result"), r#"["p",{"b":1},"c",1]"#);
    }
    for (name, source) in [("a.js", jsx), ("a.ts", tsx.as_str()), ("a.jsx", tsx.as_str())] {
        assert!(matches!(loaded_as(name, Script::from(source)), Err(Error::Compile { .. })), "{name}");
    }
}

#[test]
fn a_file_is_typescript_if_its_name_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, works) in [("handler.ts", true), ("handler.mts", true), ("handler.tsx", true), ("handler.js", false)] {
        let path = folder.path().join(name);
        std::fs::write(&path, SOURCE).expect("a file");
        let script = Script::try_from(Path::new(&path)).expect("the file");
        assert_eq!(loaded_as("handler", script).is_ok(), works, "{name}");
    }
}
