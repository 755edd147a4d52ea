//! What becomes of TypeScript.

use guest_typescript::{Language, Limits, Mistake};

/// As much as there is.
const LIMITS: Limits = Limits { stack_end: 0, free_memory: || 1 << 40 };

fn to_javascript(source: &str) -> Result<String, Mistake> {
    guest_typescript::to_javascript(source, Language::TypeScript, LIMITS)
}

fn program_to_javascript(source: &str) -> Result<String, Mistake> {
    guest_typescript::program_to_javascript(source, Language::TypeScript, LIMITS)
}

/// The JavaScript, with what is blank made short.
fn erased(source: &str) -> String {
    let script = to_javascript(source).unwrap_or_else(|mistake| panic!("{source}: {mistake:?}"));
    script.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn refused(source: &str) -> Mistake {
    to_javascript(source).expect_err(source)
}

#[test]
fn what_is_left_stays_in_its_place() {
    let source = "interface Order { prices: number[] }\n\
        const total = <T extends Order>(order: T, ø?: string): number =>\n  order.prices!.length as number;\n\
        export function handler(order: Order): number { return total(order) }\n";
    let script = to_javascript(source).expect("no mistake");
    assert_eq!(script.lines().count(), source.lines().count());
    for word in ["total =", "order.prices", ".length", "handler(", "return total"] {
        let place = |text: &str| {
            let at = text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            (text[..at].matches('\n').count(), line.chars().count())
        };
        assert_eq!(place(&script), place(source), "{word}");
    }
}

#[test]
fn types_are_gone() {
    for (source, script) in [
        ("let a: string | number = 1, b!: () => void", "let a = 1, b ;"),
        ("type A<T> = T; interface B {} declare const c: number; declare global { let x: 1 }", "; ; ; ;"),
        ("function f<T>(this: T, a?: T, ...b: T[]): a is T { return <T>a }", "function f ( a , ...b ) { return ( a) }"),
        ("function f(a: 1): void; function f(a: any) {}", "; function f(a ) {}"),
        ("const f = async <T,>(x: T): Promise<T> => x satisfies T", "const f = async (x ) => x;"),
        ("f<string>(new Map<string, number>(), g<1>`t`, h<2>)", "f (new Map (), g `t`, h )"),
        ("a!.b!(c as any, d as const)!", "a .b (c , d );"),
        ("try {} catch (e: unknown) {}", "try {} catch (e ) {}"),
        ("for (const x of y as any[]) {}", "for (const x of y ) {}"),
        ("const f = () => <any>{}", "const f = () => ( {})"),
    ] {
        assert_eq!(erased(source), script, "{source}");
    }
}

#[test]
fn classes_lose_what_says_nothing_at_run_time() {
    let source = "export abstract class A<T> extends B<T> implements C, D<T> {
        declare a: string; private static readonly b: number = 1; c?: string; d!: 1; readonly [e: string]: any
        abstract f(): void; g(x: 1): void; protected override g(x: any): void {} public ['h']: 1 = 2
    }";
    assert_eq!(erased(source), "export class A extends B { ; ; static b = 1; c ; d ; ; ; ; ; g(x ) {} ; ['h'] = 2 }");
}

#[test]
fn lines_without_semicolons_do_not_go_on() {
    for (source, script) in [
        ("let a: string\n(b)", "let a; (b)"),
        ("a = b as any\n(c)", "a = b; (c)"),
        ("a = <any>b!\nc", "a = ( b ); c"),
        ("a = <any><any>b!\nc", "a = ( ( b )); c"),
        ("class A { b = <any>c!\nd() {} }", "class A { b = ( c ); d() {} }"),
        ("a = b\ninterface C {}\n(d)", "a = b ; (d)"),
        ("class A { b: string\n['c'] = 1 }", "class A { b; ['c'] = 1 }"),
        ("class A { b = 1\npublic ['c'] = 1 }", "class A { b = 1 ; ['c'] = 1 }"),
        ("const f = (a: 1):\n  number => a", "const f = (a ) => a"),
        ("const f = async <\nT>(a: T) => a", "const f = async ( a ) => a"),
        ("function f() { return <\nany>a }", "function f() { return ( a) }"),
    ] {
        assert_eq!(erased(source), script, "{source}");
    }
}

#[test]
fn imports_and_exports_of_types_are_left_out() {
    for (source, script) in [
        ("import type { A } from 'a'; import { type B } from 'b'; import C from 'c'", "; ; ;"),
        ("import { A, b, type C } from 'd'; const x: A = b", "import { b, } from 'd'; const x = b"),
        ("import D, { E } from 'f'; D; let e: E", "import D, { } from 'f'; D; let e;"),
        ("import G, { h } from 'i'; h", "import { h } from 'i'; h"),
        ("import 'j'; import {} from 'k'", "import 'j'; import {} from 'k'"),
        (
            "export type { A } from 'a'; export { type B, c } from 'd'; export type * from 'e'",
            "; export { c } from 'd'; ;",
        ),
        ("interface A {} const b = 1; export { A, b }", "; const b = 1; export { b }"),
        ("interface A {} export default A", "; ;"),
        ("import A = B.C; A", "const A = B.C; A"),
    ] {
        assert_eq!(erased(source), script, "{source}");
    }
}

#[test]
fn what_has_a_meaning_is_rewritten() {
    for (source, script) in [
        (
            "enum A { B, C = 5, D, 'e-f' = 'g' }",
            r#"var A; (function (A) { A[A["B"] = 0] = "B"; A[A["C"] = 5] = "C"; A[A["D"] = 6] = "D"; A["e-f"] = 'g' })(A || (A = {}));"#,
        ),
        (
            "enum A { B = 1 << 2, C = B | f({ B }) }",
            r#"var A; (function (A) { A["B"] = (1 << 2); if (typeof A["B"] === "number") A[A["B"]] = "B"; A["C"] = (A.B | f({ B: A.B })); if (typeof A["C"] === "number") A[A["C"]] = "C" })(A || (A = {}));"#,
        ),
        (
            "namespace A { export const b: 1 = 1; export function c() {} type D = 1 }",
            "var A; (function (A) { const b = 1;; A.b = b; function c() {}; A.c = c; ; })(A || (A = {}));",
        ),
        ("namespace A { export type B = 1 } declare namespace C { const d: 1 }", "; ;"),
        (
            "class A { constructor(private b: 1, c: 2, readonly d = 3) { f() } }",
            "class A { b; d; constructor( b , c , d = 3) { this.b = b; this.d = d; f() } }",
        ),
        (
            "class A extends B { constructor(public c: 1) { f(); super(); g() } }",
            "class A extends B { c; constructor( c ) { f(); super();; this.c = c; g() } }",
        ),
    ] {
        assert_eq!(erased(source), script, "{source}");
    }
}

#[test]
fn a_namespace_adds_to_what_bears_its_name() {
    let script = erased("export class A {} export namespace A { export const b = 1 } enum C { D } enum C { E = 1 }");
    assert!(script.contains("export class A {} ;(function (A) {"), "{script}");
    assert_eq!(script.matches("var C").count(), 1, "{script}");
}

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    for (source, message, line, column) in [
        ("let a = 1;\n  @d class B {}", "decorators are not supported", 2, 3),
        ("import a = require('b')", "import … = require() is not supported: use import … from", 1, 1),
        ("export = 1", "export = is not supported: use export default", 1, 1),
        ("namespace A { export let b = 1 }", "a variable that a namespace exports must be const", 1, 15),
        ("enum A { B = 'c', D }", "a member of an enum needs a value behind one that is a string", 1, 19),
        ("class A { accessor b = 1 }", "accessor properties are not supported", 1, 11),
    ] {
        assert_eq!(refused(source), Mistake { message: message.into(), line, column }, "{source}");
    }
}

#[test]
fn mistakes_have_their_place() {
    let mistake = refused("const ä: string = 'é'; let b: = 1;");
    assert_eq!((mistake.line, mistake.column), (1, 31), "{mistake:?}");
    let mistake = refused("function f() {\n  return {\n");
    assert_eq!(mistake.line, 3, "{mistake:?}");
    assert!(to_javascript("return 1").is_err());
}

#[test]
fn programs_are_statements_or_an_expression() {
    let script =
        |source| program_to_javascript(source).map(|script| script.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(
        script("const a: 1 = await f(); return a as any").expect("statements"),
        "const a = await f(); return a;"
    );
    assert_eq!(script("{ a: 1 as number, b: 2 }").expect("an expression"), "{ a: 1 , b: 2 }");
    assert_eq!(script("(await f<1>()).b!").expect("an expression"), "(await f ()).b;");
    assert!(script("return {").is_err());
}

/// The JavaScript of a source with JSX.
fn from_jsx(source: &str) -> String {
    guest_typescript::to_javascript(source, Language::Jsx, LIMITS)
        .unwrap_or_else(|mistake| panic!("{source:?}: {mistake:?}"))
}

#[test]
fn an_import_for_jsx_is_behind_a_first_line_for_a_shell() {
    let import = "import { jsx as _jsx } from \"react/jsx-runtime\"; ";
    for end in ["\n", "\r\n", "\r", "\u{2028}", "\u{2029}"] {
        let head = format!("#!x{end}{end}/** @jsxRuntime automatic */ ");
        let script = from_jsx(&format!("{head}export default <a/>"));
        assert_eq!(script, format!("{head}{import}export default _jsx(\"a\", {{}})"));
        let script = from_jsx(&format!("{head}'a directive';{end}export default <a/>"));
        assert_eq!(script, format!("{head}'a directive';{end}{import}export default _jsx(\"a\", {{}})"));
    }
    let script = from_jsx("/** @jsxRuntime automatic */\nexport default <a/>");
    assert_eq!(script, format!("{import}/** @jsxRuntime automatic */\nexport default _jsx(\"a\", {{}})"));
}

#[test]
fn a_name_for_jsx_that_the_source_does_not_have_is_found_in_one_pass() {
    let underscores = "_".repeat(1_000_000);
    for (comment, name) in [
        (format!("{underscores}jsx"), "_jsx"),
        (format!("_jsx {underscores}jsxs"), "__jsx"),
        (String::from("_Fragment ___jsx $__createElement"), "____jsx"),
        (String::from("_jsx ").repeat(200_000), "__jsx"),
    ] {
        let script = from_jsx(&format!("/** @jsxRuntime automatic */ // {comment}\nexport default <a/>"));
        assert!(script.starts_with(&format!("import {{ jsx as {name} }} from ")), "{}", &script[..60]);
        assert!(script.ends_with(&format!("export default {name}(\"a\", {{}})")));
    }
}

#[test]
fn no_text_makes_it_panic() {
    let source = include_str!("erase.rs");
    let samples = [
        "class A<T> { constructor(private x: T, y?: 1) { super() } static async *[z]<T>(this: 1): T {} }",
        "enum A { B = 1, C, 'd' = `e` } namespace F.G { export const { h, i: [j] } = k; export enum L {} }",
        "import A, { type B, C as D } from 'e'; export { type F, G as default }; export default <T>(a: T) => <T>a!",
        "const ü = async <Ü,>(ö: Ü): Promise<Ü> /* ä */ => ö satisfies Ü; abstract class Ä implements Ö {}",
    ];
    let marks = ["<", ">", "{", "}", "(", ")", ":", "?", "!", "=", "\u{2028}", "é", "as any", "enum ", "//", "/*", "`"];
    for sample in samples.into_iter().chain([source]) {
        for (at, _) in sample.char_indices().take(600) {
            for mark in marks {
                let _ = to_javascript(&format!("{}{mark}{}", &sample[..at], &sample[at..]));
            }
            let _ = to_javascript(&sample[..at]);
            let _ = program_to_javascript(&sample[at..]);
        }
    }
}
