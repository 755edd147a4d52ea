//! Sources that are nested as deep as they like, in each way that the language has, and sources that are too large.

use std::thread;

use guest_typescript::{Language, Limits, Mistake, program_to_javascript, to_javascript};

/// Size of the stack that a compilation gets here, and what of it stays out of its sight.
const STACK: usize = 1 << 20;
const HIDDEN: usize = 16 << 10;

/// Each way to nest: what comes first, what is repeated, what stands in the middle, what is repeated after it, what comes last.
const KINDS: &[[&str; 5]] = &[
    ["", "(", "1", ")", ""],
    ["", "[", "1", "]", ""],
    ["x = ", "{ a: ", "1", "}", ""],
    ["", "{", "", "}", ""],
    ["", "`${", "1", "}`", ""],
    ["", "f(", "1", ")", ""],
    ["", "a[", "1", "]", ""],
    ["", "new (", "A", ")", ""],
    ["", "!", "1", "", ""],
    ["", "- ", "1", "", ""],
    ["", "typeof ", "1", "", ""],
    ["", "await ", "1", "", ""],
    ["function* f() { ", "yield ", "1", "", "}"],
    ["", "new ", "A", "", ""],
    ["", "a => ", "1", "", ""],
    ["", "async a => ", "1", "", ""],
    ["", "(a = ", "1", ") => 1", ""],
    ["", "(a: ", "1", ") => 1", ""],
    ["", "<T,>() => ", "1", "", ""],
    ["", "a ? ", "1", " : 2", ""],
    ["", "a ? 1 : ", "1", "", ""],
    ["", "a = ", "1", "", ""],
    ["", "a ** ", "1", "", ""],
    ["", "1 + ", "1", "", ""],
    ["", "a && ", "1", "", ""],
    ["", "a, ", "1", "", ""],
    ["", "a", "", ".b", ""],
    ["", "a", "", "?.b", ""],
    ["", "a", "", "[0]", ""],
    ["", "a", "", "()", ""],
    ["", "a", "", "``", ""],
    ["", "a", "", "!", ""],
    ["", "a", "", "! ", " = 1"],
    ["", "a", "", ".b", " = 1"],
    ["/* #__PURE__ */ f()", "", "", ".b", ""],
    ["", "a", "", " as b", ""],
    ["", "a", "", " satisfies b", ""],
    ["", "a", "", "<b>", ""],
    ["", "<a>", "1", "", ""],
    ["[", "[", "a", "]", "] = 1"],
    ["let ", "[", "a", "]", " = 1"],
    ["let ", "{ a: ", "b", "}", " = 1"],
    ["", "if (a) ", ";", "", ""],
    ["", "if (a) 1; else ", ";", "", ""],
    ["", "while (a) ", ";", "", ""],
    ["", "for (;;) ", ";", "", ""],
    ["", "do ", ";", "while (a)", ""],
    ["", "with (a) ", ";", "", ""],
    ["", "try {", "", "} finally {}", ""],
    ["", "switch (a) { case 1: ", "", "}", ""],
    ["", "function f() {", "", "}", ""],
    ["", "class A extends ", "B", " {}", ""],
    ["", "class A { b = ", "1", "}", ""],
    ["", "class A { static {", "", "}}", ""],
    ["", "@a(", "1", ") class B {}", ""],
    ["import a = b", "", "", ".c", ""],
    ["namespace a", "", "", ".b", " {}"],
    ["", "namespace a {", "", "}", ""],
    ["enum A { b = ", "(", "1", ")", "}"],
    ["let a: ", "(", "1", ")", ""],
    ["let a: ", "[", "1", "]", ""],
    ["let a: ", "{ b: ", "1", "}", ""],
    ["let a: ", "() => ", "1", "", ""],
    ["let a: ", "new () => ", "1", "", ""],
    ["let a: ", "A<", "1", ">", ""],
    ["let a: ", "keyof ", "A", "", ""],
    ["let a: ", "a extends b ? ", "1", " : c", ""],
    ["let a: ", "a extends b ? c : ", "1", "", ""],
    ["let a: ", "`${", "1", "}`", ""],
    ["let a: a", "", "", "[]", ""],
    ["let a: a", "", "", ".b", ""],
    ["let a: a", "", "", "['b']", ""],
    ["let a: a", "", "", " | b", ""],
    ["let a: ", "?", "a", "", ""],
    ["type A<B = ", "C<", "1", ">", "> = 1"],
    ["type A", "<B extends A", "", ">", " = 1"],
];

/// The same with JSX.
const JSX_KINDS: &[[&str; 5]] = &[
    ["", "<a>", "", "</a>", ""],
    ["", "<>", "", "</>", ""],
    ["", "<a>{", "1", "}</a>", ""],
    ["", "<a>{...", "1", "}</a>", ""],
    ["", "<a b=", "<c/>", "/>", ""],
    ["", "<a b={", "1", "}/>", ""],
    ["", "<a {...", "b", "}/>", ""],
    ["/** @jsxRuntime automatic */ ", "<a key={", "1", "}/>", ""],
    ["/** @jsxRuntime automatic */ ", "<a key=", "<b/>", "/>", ""],
    ["<a", "", "", ".b", "/>"],
];

fn kinds() -> impl Iterator<Item = ([&'static str; 5], Language)> {
    let plain = KINDS.iter().map(|kind| (*kind, Language::TypeScript));
    plain.chain(JSX_KINDS.iter().map(|kind| (*kind, Language::Tsx)))
}

fn source(kind: [&str; 5], depth: usize) -> String {
    let [start, open, middle, close, end] = kind;
    [start, &open.repeat(depth), middle, &close.repeat(depth), end].concat()
}

/// Compiles on a stack of a certain size, with so much memory.
fn compiled(
    source: String,
    language: Language,
    compile: fn(&str, Language, Limits) -> Result<String, Mistake>,
    free_memory: fn() -> usize,
) -> Result<String, Mistake> {
    let on_stack = thread::Builder::new().stack_size(STACK).spawn(move || {
        let here = 0_u8;
        compile(&source, language, Limits { stack_end: &raw const here as usize - STACK + HIDDEN, free_memory })
    });
    on_stack.expect("a thread").join().expect("no panic")
}

#[test]
fn what_is_nested_too_deeply_is_refused_however_it_is_nested() {
    for (kind, language) in kinds() {
        for depth in [5_000, 250_000] {
            match compiled(source(kind, depth), language, to_javascript, || 1 << 30) {
                // Lists of expressions, and types, are as long as they like: nothing walks them.
                Ok(_) => assert!(depth == 5_000 || kind[1] == "a, " || kind[0] == "let a: a", "not refused: {kind:?}"),
                Err(mistake) => assert!(mistake.line == 1 && mistake.column >= 1, "{kind:?}: {mistake:?}"),
            }
        }
    }
}

#[test]
fn what_is_nested_a_little_is_not_refused_for_that() {
    for (kind, language) in kinds() {
        if let Err(mistake) = compiled(source(kind, 30), language, to_javascript, || 1 << 30) {
            assert!(
                !mistake.message.contains("nested") && !mistake.message.contains("memory"),
                "{kind:?}: {mistake:?}"
            );
        }
    }
}

#[test]
fn a_refusal_says_how_far_the_source_was_read() {
    let mistake =
        compiled(format!("let a = 1;\n{}", "(".repeat(100_000)), Language::TypeScript, to_javascript, || 1 << 30);
    let mistake = mistake.expect_err("too deep");
    assert_eq!((mistake.message.as_str(), mistake.line), ("the source is nested too deeply", 2));
    assert!(mistake.column > 50, "{mistake:?}");
    let mistake = compiled("{ a: [".repeat(100_000), Language::TypeScript, program_to_javascript, || 1 << 30)
        .expect_err("too deep");
    assert_eq!(mistake.message, "the source is nested too deeply");
}

#[test]
fn what_there_is_no_memory_for_is_refused() {
    let sources = [
        "(x: number): number => x,".repeat(30_000),
        "1,".repeat(300_000),
        format!("enum A {{ {} }}", "a,".repeat(300_000)),
        format!("enum {} {{ {} }}", "A".repeat(100_000), "a,".repeat(100_000)),
        "01;".repeat(300_000),
        "a.b;".repeat(200_000),
        format!("'{}'", "\\n".repeat(1_000_000)),
        format!("[{}]", ",".repeat(1_000_000)),
        "let a: b = c as d;".repeat(60_000),
    ];
    for source in sources {
        let start = source[..20].to_string();
        let mistake = compiled(source, Language::TypeScript, to_javascript, || 6 << 20).expect_err(&start);
        assert_eq!(mistake.message, "there is not enough memory to compile the source", "{start}");
    }
}

#[test]
fn ordinary_sources_need_no_more_memory_than_is_said() {
    let source =
        "export const total = (order: Order): number => order.prices.reduce((sum, price) => sum + price, 0);\n";
    let large = source.repeat(10_000);
    assert!(compiled(large, Language::TypeScript, to_javascript, || 60 << 20).is_ok());
}
