//! Programs that are run once.

use hyperlight_js::{Error, HostFunctionError, LoadedJSSandbox, Program, SandboxBuilder, SandboxPool};

fn sandbox() -> LoadedJSSandbox {
    let sandbox = SandboxBuilder::new().build().and_then(|proto| proto.load_runtime()).expect("a sandbox");
    sandbox.get_loaded_sandbox().expect("a sandbox without handlers")
}

/// Runs programs, each in clean state.
struct Runner(LoadedJSSandbox, std::sync::Arc<hyperlight_js::Snapshot>);

impl Runner {
    fn new() -> Self {
        let mut sandbox = sandbox();
        let clean = sandbox.snapshot().expect("a snapshot");
        Self(sandbox, clean)
    }

    fn run(&mut self, program: Program) -> hyperlight_js::Result<String> {
        self.0.restore(self.1.clone()).expect("clean state");
        self.0.run(program, None)
    }

    fn value(&mut self, source: &str) -> String {
        self.run(Program::new(source).with_input("[1,2]")).unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    fn place(&mut self, source: &str) -> (u32, u32) {
        match self.run(Program::new(source)) {
            Err(Error::Compile { file, line, column, .. }) => {
                assert_eq!(file, "run", "{source}");
                (line, column)
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn the_value_of_a_program_is_that_of_its_expression_its_return_its_default_export_or_its_handler() {
    let mut runner = Runner::new();
    for (source, value) in [
        ("1 + 1", "2"),
        (" input.length ;; \n", "2"),
        ("await Promise.resolve(input)", "[1,2]"),
        ("{ a: 1, b: [input[0]] }", r#"{"a":1,"b":[1]}"#),
        ("// nothing but this: )\n3 // and this (", "3"),
        ("(input) => input[1]", "2"),
        ("async function work([a, b]) { return a + b }", "3"),
        ("const x = await input; return x[0] + 1", "2"),
        ("for (const x of input) if (x === 2) return { x }", r#"{"x":2}"#),
        ("const add = ([a, b]) => a + b; function handler(event) { return add(event) }", "3"),
        ("async function handler(event) { return event.length }", "2"),
        ("export default 7", "7"),
        ("export default ([a]) => a", "1"),
        ("export default async function (input) { return input }", "[1,2]"),
        ("import 'crypto'; function handler([a]) { return a }", "1"),
        ("export const handler = ([, b]) => b", "2"),
        ("export const a = 1", "null"),
        ("const a = 1", "null"),
        ("return () => 1", "null"),
        ("", "null"),
        ("'use strict'; try { undeclared = 1 } catch (error) { return error.name }", r#""ReferenceError""#),
        ("try { undeclared = 1 } catch (error) { return error.name }", r#""ReferenceError""#),
    ] {
        assert_eq!(runner.value(source), value, "{source}");
    }
}

#[test]
fn a_syntax_error_has_its_place_in_the_source_whatever_that_is_wrapped_into() {
    let mut runner = Runner::new();
    for (source, place) in [
        ("let = 1", (1, 5)),
        ("const a = 1;\nconst b = ;", (2, 11)),
        ("const a = 1;\nreturn a +;", (2, 11)),
        ("import 'crypto';\nexport default (;", (2, 17)),
        ("import 'crypto';\nreturn 1", (2, 1)),
        ("if (true) {\n  f(", (2, 5)),
        ("f(1", (1, 4)),
        // What closes the wrapper is no way out of it.
        ("} evil(); {", (1, 3)),
        ("}, x = {", (1, 9)),
        ("1), (2", (1, 2)),
        ("}), (async () => {", (1, 1)),
        ("import missing from 'missing'", (1, 21)),
    ] {
        assert_eq!(runner.place(source), place, "{source}");
    }
}

#[test]
fn stacks_have_the_lines_of_the_source() {
    let mut runner = Runner::new();
    for source in ["\n\n  JSON.parse('{')", "const a = 1;\n\n  null.x", "export const a = 1;\n\n  null.x"] {
        match runner.run(Program::new(source)) {
            Err(Error::Guest { stack, .. }) => assert!(stack.contains("run:3:"), "{source}: {stack}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_program_calls_its_host_functions_as_globals_and_as_imports_and_no_others() {
    let mut runner = Runner::new();
    let with_db = |source: &str| {
        let mut program = Program::new(source).with_module("tools", "export const twice = (x) => 2 * x");
        let db = program.host_module("db");
        db.register_async("find", |id: u32| async move { format!("row {id}") }).expect("a function");
        db.register("count", || 3).expect("a function");
        db.register("fail", || -> Result<u32, HostFunctionError> { Err(HostFunctionError::new("no")) })
            .expect("a function");
        program
    };
    let both = "import { find, count } from 'host:db'; import { twice } from 'tools';
        export default async () => [await find(1), await db.find(2), twice(count()), db.count.name]";
    assert_eq!(runner.run(with_db(both)).expect("a value"), r#"["row 1","row 2",6,"count"]"#);
    assert!(matches!(runner.run(with_db("db.fail()")), Err(Error::Guest { message, .. }) if message == "no"));

    // Those of another program are gone.
    for (source, value) in [("typeof db", r#""undefined""#), ("import('host:db').then(() => 1, () => 2)", "2")] {
        assert_eq!(runner.value(source), value);
    }
    let mut other =
        Program::new("const { find } = await import('host:other'); return Promise.allSettled([find(1), db.find(1)])");
    other.host_module("db").register("count", || 3).expect("a function");
    other.host_module("other").register_async("find", |_: u32| async { 1 }).expect("a function");
    assert!(matches!(runner.run(other), Err(Error::Guest { name, .. }) if name == "TypeError"));
}

#[test]
fn names_that_mean_something_else_are_refused_and_nothing_is_run() {
    let mut sandbox = sandbox();
    for module in ["console", "input", "toString", "Array", "globalThis"] {
        let mut program = Program::new("1");
        program.host_module(module).register("f", || 1).expect("a function");
        match sandbox.run(program, None) {
            Err(Error::InvalidArgument(message)) => assert!(message.to_string().contains(module), "{message}"),
            other => panic!("{module}: {other:?}"),
        }
    }
    for module in ["crypto", "node:url", "host:db", "hyperlight:native", "./a", "../a", "run"] {
        let program = Program::new("1").with_module(module, "");
        assert!(matches!(sandbox.run(program, None), Err(Error::InvalidArgument(_))), "{module}");
    }
    assert!(matches!(sandbox.run(Program::new("1").with_input("{"), None), Err(Error::InvalidEvent(_))));
    assert_eq!(sandbox.run(Program::new("1"), None).expect("the first program"), "1");
    assert!(matches!(sandbox.run(Program::new("1"), None), Err(Error::InvalidArgument(_))), "one program a sandbox");
}

#[test]
fn a_program_that_is_too_large_is_refused() {
    let mut sandbox = sandbox();
    let limit = SandboxBuilder::DEFAULT_HEAP_SIZE as usize / 8;
    for program in [Program::new(" ".repeat(limit + 1)), Program::new("1").with_module("m", " ".repeat(limit))] {
        assert!(matches!(sandbox.run(program, None), Err(Error::PayloadTooLarge { .. })));
    }
    assert_eq!(sandbox.run(Program::new("1"), None).expect("a value"), "1");
}

#[test]
fn a_pool_runs_each_program_in_clean_state() {
    let pool = SandboxPool::new(2, 10, || Ok(sandbox())).expect("a pool");
    for _ in 0..10 {
        let program =
            Program::new("globalThis.count = (globalThis.count ?? 0) + 1; Array.prototype.x = 1; return count");
        assert_eq!(pool.run(program, None).expect("a value"), "1");
    }
}

#[test]
fn prepared_modules_are_evaluated_once_and_each_program_has_its_own_copy_of_their_state() {
    let mut sandbox = sandbox();
    let counter = "let n = 0; export const next = () => ++n; globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;";
    sandbox.prepare([("counter", counter)]).expect("prepare");
    sandbox
        .prepare([("twice", "import { next } from 'counter'; export const twice = () => [next(), next()];")])
        .expect("again");
    assert!(matches!(sandbox.prepare([("counter", "")]), Err(Error::InvalidArgument(_))), "it is there already");
    let clean = sandbox.snapshot().expect("a snapshot");
    for _ in 0..3 {
        sandbox.restore(clean.clone()).expect("restore");
        let program = Program::new("import { twice } from 'twice'; export default [...twice(), evaluated]");
        assert_eq!(sandbox.run(program, None).expect("a value"), "[1,2,1]");
    }
    match sandbox.prepare([("bad", "\nlet = 1")]) {
        Err(Error::InvalidArgument(_)) => {}
        other => panic!("a program has been run already, but {other:?}"),
    }
    sandbox.restore(clean).expect("restore");
    match sandbox.prepare([("bad", "\nlet = 1")]) {
        Err(Error::Compile { file, line, .. }) => assert_eq!((&*file, line), ("bad", 2)),
        other => panic!("{other:?}"),
    }
}
