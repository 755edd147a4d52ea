//! Sources of handlers and modules: programs of most of JavaScript's syntax, and texts that are nearly such.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A handler's source and that of a module that it may import.
#[derive(Debug)]
pub struct Sources {
    pub handler: String,
    pub module: String,
}

impl<'a> Arbitrary<'a> for Sources {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let module = source(u, false)?;
        Ok(Self { handler: source(u, true)?, module })
    }
}

const DEPTH_MAX: usize = 12;

fn source(u: &mut Unstructured<'_>, is_handler: bool) -> Result<String> {
    let mut text = Text { u, out: String::new(), depth: 0 };
    match text.u.int_in_range(0..=9)? {
        // No program at all.
        0 => text.out.push_str(&text.u.arbitrary::<String>()?),
        1 => text.tokens()?,
        _ => text.program(is_handler)?,
    }
    let mut out = text.out;
    // Some are changed afterwards.
    if u.int_in_range(0..=3)? == 3 && !out.is_empty() {
        let from = out.floor_char_boundary(u.choose_index(out.len())?);
        let to = out.floor_char_boundary((from + u.int_in_range(0..=8)?).min(out.len()));
        match u.int_in_range(0..=3)? {
            0 => out.truncate(from),
            1 => drop(out.drain(from..to)),
            2 => out.insert(from, u.arbitrary()?),
            _ => out.insert_str(from, u.choose(&TOKENS)?),
        }
    }
    Ok(out)
}

const NAMES: [&str; 12] = [
    "a",
    "b",
    "event",
    "arguments",
    "async",
    "of",
    "get",
    "constructor",
    "prototype",
    "globalThis",
    "__proto__",
    "undefined",
];
const TOKENS: [&str; 40] = [
    "(", ")", "{", "}", "[", "]", "=>", "=", "==", "?.", "??=", "...", ";", ",", ":", "?", "`", "${", "/", "/*", "//",
    "*", "**", "\n", "export", "import", "default", "function", "class", "await", "yield", "new", "super", "#a", "'",
    "\"", "\\u{61}", "<!--", "0b", "\u{2028}",
];
const LITERALS: [&str; 30] = [
    "0",
    "-0",
    "1e309",
    "0x7fffffff",
    "1n",
    "0b1",
    "1_000",
    ".5",
    "NaN",
    "'text'",
    "\"\\ud800\"",
    "`a${1}b`",
    "true",
    "null",
    "[]",
    "{}",
    "/a+?(?<n>b)\\k<n>/giu",
    "/(?:(?=a)|b){1,9}$/v",
    "Symbol.iterator",
    "new Map([[1, 2]])",
    "new Uint8Array(8)",
    "'x'.repeat(1 << 16)",
    "new Proxy({}, {})",
    "async () => 1",
    "(function* () { yield* [1]; })()",
    "class { static { } }",
    "new Error('e', { cause: 1 })",
    "JSON",
    "Reflect",
    "Math",
];
const METHODS: [&str; 24] = [
    "toString",
    "valueOf",
    "map",
    "filter",
    "sort",
    "splice",
    "concat",
    "flat",
    "call",
    "apply",
    "bind",
    "then",
    "next",
    "replace",
    "split",
    "normalize",
    "slice",
    "at",
    "fill",
    "with",
    "toJSON",
    "padEnd",
    "matchAll",
    "hasOwnProperty",
];
const UNARY: [&str; 11] = ["-", "+", "!", "~", "typeof ", "void ", "delete ", "++", "--", "await ", "..."];
const BINARY: [&str; 24] = [
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "<<",
    ">>>",
    "&",
    "|",
    "^",
    "&&",
    "||",
    "??",
    "==",
    "===",
    "<",
    ">=",
    "in",
    "instanceof",
    ",",
    "=",
    "+=",
    "??=",
];

struct Text<'u, 'a> {
    u: &'u mut Unstructured<'a>,
    out: String,
    depth: usize,
}

impl Text<'_, '_> {
    fn add(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn one_of(&mut self, texts: &[&str]) -> Result<()> {
        let text = *self.u.choose(texts)?;
        self.add(text);
        Ok(())
    }

    fn tokens(&mut self) -> Result<()> {
        while !self.u.is_empty() && self.out.len() < 2000 {
            match self.u.int_in_range(0..=3)? {
                0 => self.one_of(&NAMES)?,
                1 => self.one_of(&LITERALS)?,
                2 => self.one_of(&BINARY)?,
                _ => self.one_of(&TOKENS)?,
            }
            self.add(" ");
        }
        Ok(())
    }

    fn program(&mut self, is_handler: bool) -> Result<()> {
        if is_handler && self.u.arbitrary()? {
            self.one_of(&[
                "import * as m from 'user:m';",
                "import m, { a } from 'user:m';",
                "import { f } from 'host:h';",
            ])?;
        }
        self.statements()?;
        if is_handler {
            self.one_of(&[
                "function handler",
                "async function handler",
                "function* handler",
                "export const handler = function ",
            ])?;
            self.add("(event) {");
            self.statements()?;
            self.add("return ");
            self.expression()?;
            self.add("; }");
        } else if self.u.arbitrary()? {
            self.add("export const f = ");
            self.expression()?;
            self.add("; export default f;");
        }
        Ok(())
    }

    fn statements(&mut self) -> Result<()> {
        self.depth += 1;
        while !self.u.is_empty() && self.depth < DEPTH_MAX && self.u.int_in_range(0..=3)? != 0 {
            self.statement()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn block(&mut self) -> Result<()> {
        self.add("{");
        self.statements()?;
        self.add("}");
        Ok(())
    }

    fn statement(&mut self) -> Result<()> {
        match self.u.int_in_range(0..=13)? {
            0 => {
                self.one_of(&["let ", "const ", "var "])?;
                self.pattern()?;
                self.add(" = ");
                self.expression()?;
                self.add(";");
            }
            1 => {
                self.add("if (");
                self.expression()?;
                self.add(")");
                self.block()?;
                self.add("else ");
                self.statement()?;
            }
            2 => {
                self.one_of(&["for (const x of ", "for await (const x of ", "for (var x in ", "for (let [x] of "])?;
                self.expression()?;
                self.add(")");
                self.block()?;
            }
            3 => {
                self.add("for (let i = 0; i < 3; i++)");
                self.block()?;
            }
            4 => {
                self.add("try");
                self.block()?;
                self.one_of(&["catch (e)", "catch ({ message })", "catch", "finally"])?;
                self.block()?;
            }
            5 => {
                self.one_of(&["throw ", "return ", "yield ", "await ", "export default ", "a: "])?;
                self.expression()?;
                self.add(";");
            }
            6 => {
                self.add("switch (");
                self.expression()?;
                self.add(") { case ");
                self.expression()?;
                self.add(": default:");
                self.statements()?;
                self.add("}");
            }
            7 => self.class()?,
            8 => {
                self.one_of(&["function ", "async function ", "function* ", "async function* "])?;
                self.one_of(&NAMES)?;
                self.add("(");
                self.pattern()?;
                self.add(")");
                self.block()?;
            }
            9 => self.one_of(&[
                "debugger;",
                ";",
                "break;",
                "continue;",
                "'use strict';",
                "import('user:m');",
                "do ; while (0)",
            ])?,
            _ => {
                self.expression()?;
                self.add(";");
            }
        }
        Ok(())
    }

    fn class(&mut self) -> Result<()> {
        self.add("class C");
        self.one_of(&["", " extends Array", " extends null", " extends Promise"])?;
        self.add("{");
        while !self.u.is_empty() && self.u.int_in_range(0..=3)? != 0 {
            self.one_of(&["", "static ", "get ", "set ", "async ", "*"])?;
            self.one_of(&["constructor", "a", "#p", "['x']", "toJSON", "static"])?;
            if self.u.arbitrary()? {
                self.add("(v)");
                self.block()?;
            } else {
                self.add(" = ");
                self.expression()?;
                self.add(";");
            }
        }
        self.add("}");
        Ok(())
    }

    fn pattern(&mut self) -> Result<()> {
        match self.u.int_in_range(0..=4)? {
            0 => self.add("{ a, b: [c] = [], ...d }"),
            1 => self.add("[x, , ...y]"),
            _ => self.one_of(&NAMES)?,
        }
        Ok(())
    }

    fn expression(&mut self) -> Result<()> {
        if self.depth >= DEPTH_MAX || self.u.is_empty() {
            return self.one_of(&LITERALS);
        }
        self.depth += 1;
        match self.u.int_in_range(0..=12)? {
            0 | 1 => self.one_of(&LITERALS)?,
            2 => self.one_of(&NAMES)?,
            3 => {
                self.one_of(&UNARY)?;
                self.expression()?;
            }
            4 | 5 => {
                self.add("(");
                self.expression()?;
                self.add(" ");
                self.one_of(&BINARY)?;
                self.add(" ");
                self.expression()?;
                self.add(")");
            }
            6 => {
                self.add("(");
                self.expression()?;
                self.add(")");
                self.one_of(&[".", "?.", "?.[0]?."])?;
                self.one_of(&METHODS)?;
                self.add("(");
                self.expression()?;
                self.add(")");
            }
            7 => {
                self.one_of(&["(", "async ("])?;
                self.pattern()?;
                self.add(") => ");
                if self.u.arbitrary()? { self.block()? } else { self.expression()? }
            }
            8 => {
                self.add("[");
                self.expression()?;
                self.add(", ...");
                self.expression()?;
                self.add("]");
            }
            9 => {
                self.add("({ a: ");
                self.expression()?;
                self.one_of(&[
                    ", get b() { return 1; }",
                    ", ['c']: 1",
                    ", ...{ d: 1 }",
                    ", async *e() {}",
                    ", __proto__: null",
                ])?;
                self.add("})");
            }
            10 => {
                self.add("(");
                self.class()?;
                self.add(")");
            }
            11 => {
                self.add("(");
                self.expression()?;
                self.add(" ? ");
                self.expression()?;
                self.add(" : ");
                self.expression()?;
                self.add(")");
            }
            _ => {
                self.add("`${");
                self.expression()?;
                self.add("}`");
            }
        }
        self.depth -= 1;
        Ok(())
    }
}
