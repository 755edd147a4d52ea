//! Modules that handlers share.

mod sandboxes;

use std::sync::{Arc, Mutex};

use hyperlight_js::{Error, JSSandbox, LoadedJSSandbox, SandboxBuilder, Script};
use sandboxes::call;
use serde_json::json;

fn sandbox() -> JSSandbox {
    SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime")
}

fn loaded(modules: &[(&str, &str)], handlers: &[(&str, &str)]) -> Result<LoadedJSSandbox, Error> {
    let mut sandbox = sandbox();
    for (name, source) in modules {
        sandbox.add_module(name, Script::from_content(*source), None)?;
    }
    for (name, source) in handlers {
        sandbox.add_handler(*name, Script::from_content(*source))?;
    }
    sandbox.get_loaded_sandbox()
}

#[test]
fn handlers_import_modules_by_namespace_and_name() {
    let mut sandbox = sandbox();
    sandbox.add_module("math", Script::from_content("export const add = (a, b) => a + b;"), None).expect("add_module");
    sandbox
        .add_module("utils", Script::from_content("export function greet() { return 'hi'; }"), Some("mylib"))
        .expect("add_module");
    let source = "import { add } from 'user:math'; import { greet } from 'mylib:utils';
        function handler(event) { return [add(event.a, event.b), greet()]; }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
    assert_eq!(sandboxes::call(&mut sandbox, r#"{"a":2,"b":3}"#).expect("a result"), json!([5, "hi"]));
}

#[test]
fn modules_import_each_other_in_any_order_and_in_circles() {
    let modules = [
        ("geometry", "import { PI } from 'user:constants'; export const area = (r) => PI * r * r;"),
        ("constants", "export const PI = 3;"),
        ("odd", "import { even } from 'user:even'; export const odd = (n) => n !== 0 && even(n - 1);"),
        ("even", "import { odd } from 'user:odd'; export const even = (n) => n === 0 || odd(n - 1);"),
        ("never", "this is no JavaScript, but nobody imports it"),
    ];
    let handler = "import { area } from 'user:geometry'; import { even } from 'user:even';
        function handler(event) { return [area(event), even(event)]; }";
    let mut sandbox = loaded(&modules, &[("handler", handler)]).expect("it loads");
    assert_eq!(sandboxes::call(&mut sandbox, "2").expect("a result"), json!([12, true]));
}

#[test]
fn a_module_is_one_instance_for_all_handlers_and_a_restore_resets_it() {
    let modules =
        [("counter", "let count = 0; export const increment = () => ++count; export const get = () => count;")];
    let handlers = [
        ("writer", "import { increment } from 'user:counter'; function handler() { return increment(); }"),
        ("reader", "import { get } from 'user:counter'; function handler() { return get(); }"),
    ];
    let mut sandbox = loaded(&modules, &handlers).expect("it loads");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let call =
        |sandbox: &mut LoadedJSSandbox, name: &str| sandbox.handle_event(name, "0".into(), None).expect("a result");
    assert_eq!(["writer", "reader", "writer", "reader"].map(|name| call(&mut sandbox, name)), ["1", "1", "2", "2"]);
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "reader"), "0");
}

#[test]
fn an_error_in_a_module_names_the_module_and_the_place() {
    for (source, text, line) in [
        ("\nexport const x = ;", "SyntaxError", 2),
        ("export const x = 1;\nthrow new TypeError('at load');", "at load", 2),
        ("export const x = 1;\n\nimport 'user:missing';", "cannot find module 'user:missing'", 3),
    ] {
        let handler = "import { x } from 'user:broken'; function handler() { return x; }";
        match loaded(&[("broken", source)], &[("handler", handler)]).map(drop).expect_err(source) {
            Error::Compile { name, message, file, line: got, .. } => {
                assert_eq!((file.as_str(), got), ("user:broken", line), "{name}: {message}");
                assert!(format!("{name}: {message}").contains(text), "{name}: {message}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn names_and_namespaces_are_checked() {
    let script = || Script::from_content("export {};");
    let mut sandbox = sandbox();
    sandbox.add_module("a", script(), None).expect("the first of its name");
    sandbox.add_module("a", script(), Some("other")).expect("another namespace");
    for (name, namespace) in [
        ("a", None),
        ("", None),
        ("b", Some("")),
        ("b", Some("host")),
        ("b", Some("hyperlight")),
        ("b:c", None),
        ("b", Some("c:d")),
        (" ", None),
        ("b\n", None),
        ("b", Some("\t")),
    ] {
        let error = sandbox.add_module(name, script(), namespace).expect_err("refused");
        assert!(matches!(error, Error::InvalidArgument(_)), "{name:?} {namespace:?}: {error:?}");
    }
    assert!(sandbox.add_module(&"n".repeat(257), script(), None).is_err());
}

#[test]
fn what_is_removed_is_gone_and_what_is_not_there_cannot_be_removed() {
    let mut sandbox = sandbox();
    let handler = || Script::from_content("import 'user:a'; function handler() { return 1; }");
    sandbox.add_module("a", Script::from_content("export {};"), None).expect("add_module");
    sandbox.add_handler("handler", handler()).expect("add_handler");
    sandbox.remove_module("a", None).expect("it is there");
    assert!(matches!(sandbox.remove_module("a", None), Err(Error::InvalidArgument(_))));
    sandbox.remove_handler("handler").expect("it is there");
    assert!(matches!(sandbox.remove_handler("handler"), Err(Error::InvalidArgument(_))));

    sandbox.add_handler("handler", handler()).expect("add_handler");
    sandbox.clear_handlers();
    sandbox.add_module("a", Script::from_content("export {};"), None).expect("add_module");
    sandbox.clear_modules();
    sandbox.add_handler("handler", handler()).expect("add_handler");
    assert!(matches!(sandbox.get_loaded_sandbox().map(drop), Err(Error::Compile { .. })));
}

#[test]
fn unloading_clears_handlers_modules_and_state_and_an_older_snapshot_brings_them_back() {
    let modules = [("counter", "let count = 0; export const increment = () => ++count;")];
    let handlers = [("old", "import { increment } from 'user:counter'; function handler() { return increment(); }")];
    let mut sandbox = loaded(&modules, &handlers).expect("it loads");
    assert_eq!(sandbox.handle_event("old", "0".into(), None).expect("a result"), "1");
    let snapshot = sandbox.snapshot().expect("a snapshot");

    let mut unloaded = sandbox.unload().expect("unload");
    unloaded.add_handler("new", Script::from_content("function handler() { return 'new'; }")).expect("add_handler");
    let mut sandbox = unloaded.get_loaded_sandbox().expect("get_loaded_sandbox");
    assert_eq!(sandbox.handle_event("new", "0".into(), None).expect("a result"), "\"new\"");
    assert!(matches!(sandbox.handle_event("old", "0".into(), None), Err(Error::HandlerNotFound(_))));

    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(sandbox.handle_event("old", "0".into(), None).expect("a result"), "2");
    assert!(matches!(sandbox.handle_event("new", "0".into(), None), Err(Error::HandlerNotFound(_))));
}

#[test]
fn a_handler_cannot_take_the_name_of_a_module() {
    let handler = "import 'user:a'; function handler() { return 1; }";
    let error = loaded(&[("a", "export {};")], &[("user:a", handler)]).map(drop).expect_err("refused");
    assert!(matches!(&error, Error::Compile { message, .. } if message.contains("same name")), "{error:?}");
}

/// A sandbox with a handler and a module loader.
fn with_loader(
    source: &str,
    loader: impl Fn(&str, &str) -> Option<Script> + Send + Sync + 'static,
) -> Result<LoadedJSSandbox, Error> {
    let mut proto = SandboxBuilder::new().build().expect("build");
    proto.set_module_loader(loader);
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    sandbox.add_module("added", Script::from_content("export const added = 'added';"), None).expect("add_module");
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    sandbox.get_loaded_sandbox()
}

#[test]
fn a_module_that_the_loader_has_by_another_name_is_one_module_by_both_and_imports_relative_to_its_own() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let source = "import { state } from 'lib:dir'; import { state as same } from 'lib:dir/index.js';
        import { other } from 'lib:again';
        const handler = async (name) => name ? await import(name).then(() => 1, (error) => error.message) : [state === same, state.next, other === state];";
    let mut sandbox = with_loader(source, move |specifier, _| {
        log.lock().expect("no panic").push(specifier.to_string());
        let index = "import { next } from './next'; export const state = { next }; export { state as other };";
        match specifier {
            "lib:dir" | "lib:again" => Some(Script::from_content(index).with_specifier("lib:dir/index.js")),
            "lib:dir/next" => Some(Script::from_content("export const next = 'next';")),
            "reserved" => Some(Script::from_content("").with_specifier("hyperlight:native")),
            "taken" => Some(Script::from_content("").with_specifier("handler")),
            _ => None,
        }
    })
    .expect("loaded");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!([true, "next", true]));
    for (specifier, name) in [("reserved", "hyperlight:native"), ("taken", "handler")] {
        let message = call(&mut sandbox, &format!("\"{specifier}\"")).expect("a result");
        let expected = format!(
            "cannot find module '{specifier}': the host has it by the name '{name}', which cannot be a module's"
        );
        assert_eq!(message, json!(expected));
    }
    for _ in 0..2 {
        assert_eq!(call(&mut sandbox, "\"lib:dir\"").expect("a result"), json!(1));
    }
    let asked = asked.lock().expect("no panic").clone();
    assert_eq!(asked.iter().filter(|specifier| *specifier == "lib:dir").count(), 1, "{asked:?}");
}

#[test]
fn modules_that_were_not_added_come_from_the_loader_which_is_asked_once_for_each() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let source = "import { a } from 'lib:a'; import { b } from 'lib:b'; import { added } from 'user:added';
        function handler(name) { return name ? import(name).then((m) => Object.keys(m)) : [a, b, added]; }";
    let log = asked.clone();
    let mut sandbox = with_loader(source, move |specifier, importer| {
        log.lock().expect("no panic").push(format!("{specifier} for {importer}"));
        match specifier {
            "lib:a" => Some(Script::from_content("import { b } from 'lib:b'; export const a = 'a' + b;")),
            "lib:b" => Some(Script::from_content("export const b = 'b';")),
            "late" => Some(Script::from_content("export const late = 1;")),
            _ => None,
        }
    })
    .expect("loaded");
    for _ in 0..2 {
        assert_eq!(call(&mut sandbox, "0").expect("a result"), json!(["ab", "b", "added"]));
        assert_eq!(call(&mut sandbox, "\"late\"").expect("a result"), json!(["late"]));
    }
    assert!(matches!(call(&mut sandbox, "\"never\""), Err(Error::Guest { .. })));
    let mut asked = asked.lock().expect("no panic").clone();
    asked.sort();
    assert_eq!(asked, ["late for handler", "lib:a for handler", "lib:b for lib:a", "never for handler"]);
}

#[test]
fn relative_specifiers_are_taken_from_the_name_of_the_importer() {
    let source =
        "import { list } from 'lib:deep/er/a'; import { x } from './x'; function handler() { return [...list, x]; }";
    let mut sandbox = with_loader(source, |specifier, _| {
        Some(Script::from_content(match specifier {
            "lib:deep/er/a" => {
                "import { b } from './b'; import { c } from '../c'; import { d } from '../../../d'; export const list = [b, c, d];"
            }
            "lib:deep/er/b" => "export const b = 'b';",
            "lib:deep/c" => "export const c = 'c';",
            "lib:d" => "export const d = 'd';",
            "x" => "export const x = 'x';",
            _ => return None,
        }))
    })
    .expect("loaded");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), json!(["b", "c", "d", "x"]));
}

#[test]
fn a_loader_that_fails_fails_the_import_only() {
    for (name, text) in [("lib:none", "cannot find module"), ("lib:panic", "panicked"), ("lib:large", "at most")] {
        let result =
            with_loader(&format!("import '{name}'; function handler() {{}}"), |specifier, _| match specifier {
                "lib:panic" => panic!("as told"),
                "lib:large" => Some(Script::from_content(" ".repeat(2 << 20))),
                _ => None,
            });
        match result.map(drop).expect_err("it does not load") {
            Error::Compile { message, file, line, .. } => {
                assert!(message.contains(text), "{message}");
                assert_eq!((file.as_str(), line), ("handler", 1));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_loader_is_not_asked_for_what_belongs_to_the_host_or_the_runtime() {
    for name in ["host:none", "hyperlight:native", "hyperlight:bridge", "hyperlight:new"] {
        let result =
            with_loader(&format!("import '{name}'; function handler() {{}}"), |_, _| Some(Script::from_content("")));
        assert!(matches!(result.map(drop), Err(Error::Compile { .. })), "{name}");
    }
}

#[test]
fn a_handler_named_as_a_module_of_the_runtime_is_a_handler_like_any_other() {
    let names = ["url", "crypto", "node:url", "host:math", "host:x"];
    let private =
        ["hyperlight:native", "hyperlight:bytes", "hyperlight:bridge", "hyperlight:host:math", "hyperlight:url"];
    for name in names {
        for import in private {
            let mut proto = SandboxBuilder::new().build().expect("build");
            proto.host_module("math").register("add", |a: f64, b: f64| a + b).expect("register");
            let mut sandbox = proto.load_runtime().expect("load_runtime");
            let source =
                format!("import * as mine from '{import}'; function handler() {{ return Object.keys(mine); }}");
            sandbox.add_handler(name, Script::from_content(source)).expect("add_handler");
            let error = sandbox.get_loaded_sandbox().map(drop).expect_err(import);
            let text = error.to_string();
            assert!(matches!(error, Error::Compile { .. }) && text.contains("cannot find module"), "{name}: {text}");
        }
    }
    // They are not in the way of what they are named as either, and `import()` gives no more than `import`.
    let mut proto = SandboxBuilder::new().build().expect("build");
    proto.host_module("math").register("add", |a: f64, b: f64| a + b).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    for name in names {
        let source = "import { URL } from 'url'; import nodeUrl from 'node:url'; import { createHash } from 'crypto';
            import { add } from 'host:math';
            async function handler(specifiers) {
                const found = [];
                for (const specifier of specifiers) {
                    for (const load of [(s) => import(s), (s) => (0, eval)(`import('${s}')`), new Function('s', 'return import(s)')]) {
                        try { await load(specifier); found.push(specifier); } catch {}
                    }
                }
                return [found, nodeUrl.URL === URL && URL === globalThis.URL, typeof createHash, add(1, 2)];
            }";
        sandbox.add_handler(name, Script::from_content(source)).expect("add_handler");
    }
    let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
    // Nor is `host:x`, for which there are no host functions.
    let event = json!([&private[..], &["host:x"]].concat()).to_string();
    for name in names {
        let result = sandbox.handle_event(name, event.clone(), None).expect(name);
        assert_eq!(result, r#"[[],true,"function",3]"#, "{name}");
    }
}

#[test]
fn no_handler_can_be_named_as_the_runtime_names_its_own_modules() {
    let mut sandbox = sandbox();
    for name in ["hyperlight:", "hyperlight:native", "hyperlight:url", "hyperlight:host:math", "hyperlight:mine"] {
        let error = sandbox.add_handler(name, Script::from_content("function handler() {}")).expect_err(name);
        assert!(matches!(&error, Error::InvalidArgument(message) if message.to_string().contains(name)), "{error:?}");
    }
    sandbox.add_handler("hyperlight", Script::from_content("function handler() {}")).expect("this is another name");
}

#[test]
fn a_handler_cannot_be_imported_not_even_where_a_loader_has_a_module_of_its_name() {
    for source in [
        "import { handler as self } from 'handler'; function handler() {}",
        "import './handler'; export function handler() {}",
    ] {
        let result = with_loader(source, |_, _| Some(Script::from_content("export const handler = 1;")));
        let error = result.map(drop).expect_err(source);
        assert!(error.to_string().contains("cannot find module"), "{error}");
    }
}

#[test]
fn a_syntax_error_lies_within_the_source_and_speaks_of_nothing_else() {
    for (source, place) in [
        ("function handler() {\n  if (true) {\n    return 1;\n  }\n", Some((4, 4))),
        ("function handler() {", Some((1, 21))),
        ("function handler() { return [1, 2", Some((1, 34))),
        ("function handler() { return f(1,\n\n  // a comment", Some((3, 15))),
        ("const handler = (", Some((1, 18))),
        ("const handler =", Some((1, 16))),
        ("class A {\n  m() {}", Some((2, 9))),
        ("export default", Some((1, 15))),
        ("import", Some((1, 7))),
        ("import { a } from", Some((1, 18))),
        ("function handler() {}\nx = \u{e4} +", Some((2, 8))),
        ("function handler() { ) }", None),
        ("function handler() { return 1; }}", None),
        ("function handler() { `open", None),
        ("function handler() { 'open\n }", None),
        ("function handler() {} /* open", None),
        ("function handler() {}\nlet a; let a;", None),
    ] {
        for is_module in [false, true] {
            let result = if is_module {
                loaded(&[("m", source)], &[("h", "import 'user:m'; function handler() {}")])
            } else {
                loaded(&[], &[("h", source)])
            };
            let Err(Error::Compile { name, message, file, line, column, stack, .. }) = result.map(drop) else {
                panic!("{source}: it loads");
            };
            assert_eq!(
                (&*name, &*file),
                ("SyntaxError", if is_module { "user:m" } else { "h" }),
                "{source:?}: {message}"
            );
            assert!(!message.contains("export") && !message.contains("hyperlight"), "{source:?}: {message}");
            if let Some(place) = place {
                assert_eq!((&*message, (line, column)), ("unexpected end of source", place), "{source:?}");
                assert!(stack.starts_with(&format!("    at {file}:{line}:{column}\n")), "{source:?}: {stack}");
            } else {
                let length = source.lines().nth(line as usize - 1).expect("a line of the source").chars().count();
                assert!(column as usize <= length + 1, "{source:?}: {line}:{column}: {message}");
                assert!(!message.contains("end of source"), "{source:?}: {message}");
            }
        }
    }
}
