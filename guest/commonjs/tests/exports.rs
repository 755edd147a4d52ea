//! What is CommonJS, and what it exports.

use guest_commonjs::exported_names;

fn names(source: &str) -> Vec<String> {
    exported_names(source).unwrap_or_else(|| panic!("{source} is CommonJS")).into_iter().collect()
}

#[test]
fn the_shapes_of_exports_are_known() {
    for (source, expected) in [
        ("module.exports = () => 1", ""),
        ("exports.a = 1; exports.b = exports.c = 2; exports.d == 3; exports.e.f = 4", "a b c"),
        ("module.exports.a = 1; exports['b-c'] = 2; module['exports'] = 3; exports[\"d\"] = 4", "a b-c d"),
        (
            "module.exports = { a, b: 1, 'c': { d: 1 }, e() { return [1, 2] }, get f() { return 1 }, ...g, h }; x = {i}",
            "a b c e f h",
        ),
        ("0 && (module.exports = { a, b })", "a b"),
        ("module.exports = exports = { a: /[}/]/, b: `}${{ c: 1 }}`, d: '}' }", "a b d"),
        ("Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 1", "__esModule"),
        ("Object.defineProperty(module.exports, \"a\", { enumerable: true, get() { return 1 } })", "a"),
        ("'use strict';\nvar b = 1;\nif (b) /exports.no = 1/.test(''), exports.a = b / 2 /* exports.c = */", "a"),
        ("'object' == typeof exports && 'undefined' != typeof module ? module.exports = f() : (g = f())", ""),
        ("#!/usr/bin/env node\nexports.a = 1", "a"),
        ("exports.ä = 1; exports.a\\u0062 = 2; exports['c\\'d'] = 3", "ä"),
        ("a = b++ / 2; exports.a = 1; c = d / 2", "a"),
        ("import('x').then((x) => { exports.a = x }); a.export = a.import", "a"),
    ] {
        assert_eq!(names(source).join(" "), expected, "{source}");
    }
}

#[test]
fn what_is_an_es_module_or_does_not_mean_its_exports_is_not_commonjs() {
    for source in [
        "",
        "function handler() {}",
        "// exports.a = 1\nfunction handler() {}",
        "/* module.exports = 1 */ const a = 'exports.b = 1', c = `module.exports`, d = /exports/",
        "import a from 'a'; exports.b = 1",
        "import'a';module.exports = 1",
        "exports.a = 1\nexport { a }",
        "export default function exports() {}",
        "const exports = {}; exports.a = 1; function handler() { return exports }",
        "a.exports = 1; const b = { exports: 1 }; b?.exports.c; this.module.exports = 2",
        "`${`${'}'} exports.a = 1`} module.exports = 1`",
        "const a = (b) => b.exports.c = 1",
        "x = a\n/ exports /g; export { x }",
    ] {
        assert_eq!(exported_names(source), None, "{source}");
    }
}

#[test]
fn any_text_has_an_answer() {
    // Long enough that this would not end if the time were not linear.
    for piece in
        ["/", "=/[", "'", "\"a", "`${", "((", "}", "exports.", "module.exports={", "exports=", "\\", "é/", "=/a\\"]
    {
        let _ = exported_names(&format!("{}exports.a=1", piece.repeat(200_000)));
    }
    let source = "exports.é = `a${ /[/]é'/ }`; module.exports = { 'a': 1, \"b\\\n\": é }";
    for (at, _) in source.char_indices() {
        let _ = exported_names(&source[..at]);
        let _ = exported_names(&source[at..]);
    }
}
