//! What guest code finds built in.

mod sandboxes;

use hyperlight_js::LoadedJSSandbox;
use sandboxes::{call, loaded};
use serde_json::{Value, json};

/// A sandbox whose handler evaluates an expression in which the module `crypto` is called `crypto`.
fn evaluator() -> LoadedJSSandbox {
    loaded("import * as crypto from 'crypto'; async function handler(event) { return await eval(event); }")
}

fn expect(sandbox: &mut LoadedJSSandbox, expression: &str, value: Value) {
    let event = json!(expression).to_string();
    assert_eq!(call(sandbox, &event).expect(expression), value, "{expression}");
}

fn expect_error(sandbox: &mut LoadedJSSandbox, expression: &str, text: &str) {
    let event = json!(expression).to_string();
    let error = call(sandbox, &event).expect_err(expression).to_string();
    assert!(error.contains(text), "{expression}: {error}");
}

#[test]
fn digests_are_those_of_the_standards() {
    let mut sandbox = evaluator();
    for (algorithm, hex) in [
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
        (
            "sha512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ] {
        let parts =
            format!("crypto.createHash('{algorithm}').update('a').update(new Uint8Array([98, 99])).digest('hex')");
        expect(&mut sandbox, &parts, json!(hex));
    }
    expect(&mut sandbox, "crypto.createHash('md5').digest('base64')", json!("1B2M2Y8AsgTpgAmY7PhCfg=="));
    expect(
        &mut sandbox,
        "crypto.createHash('md5').update('YWJj', 'base64').digest('base64url')",
        json!("kAFQmDzST7DWlj99KOF_cg"),
    );
    // Two units of UTF-16, and so two bytes, as in Node.js.
    expect(
        &mut sandbox,
        "crypto.createHash('md5').update('\u{1f600}', 'binary').digest('hex')\
         === crypto.createHash('md5').update(Uint8Array.of(0x3d, 0x00)).digest('hex')",
        json!(true),
    );
    expect(&mut sandbox, "crypto.createHash('sha1').digest() instanceof Uint8Array", json!(true));
    expect_error(&mut sandbox, "crypto.createHash('sha3')", "Digest method not supported");
    expect_error(
        &mut sandbox,
        "(() => { const h = crypto.createHash('md5'); h.digest(); h.digest(); })()",
        "already called",
    );
    expect_error(&mut sandbox, "crypto.createHash('md5').update(5)", "must be a string");
}

#[test]
fn keyed_digests_are_those_of_the_standards() {
    let mut sandbox = evaluator();
    let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    expect(
        &mut sandbox,
        "crypto.createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex')",
        json!(hex),
    );
    expect(
        &mut sandbox,
        "crypto.createHmac('md5', new Uint8Array(80).fill(0xaa)).update('Test Using Larger Than Block-Size Key - Hash Key First').digest('hex')",
        json!("6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"),
    );
}

#[test]
fn random_bytes_are_of_the_size_asked_for_and_never_the_same() {
    let mut sandbox = evaluator();
    let bytes = "[...crypto.randomBytes(32)].join()";
    let event = json!(bytes).to_string();
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let first = call(&mut sandbox, &event).expect("bytes");
    sandbox.restore(snapshot).expect("a restore");
    assert_ne!(call(&mut sandbox, &event).expect("bytes"), first);
    expect(&mut sandbox, "crypto.randomBytes(1000).length", json!(1000));
    expect(&mut sandbox, "crypto.randomBytes(0).length", json!(0));
    expect(&mut sandbox, "crypto.getRandomValues(new Uint32Array(9)).some((n) => n > 65535)", json!(true));
    expect(
        &mut sandbox,
        "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())",
        json!(true),
    );
    expect(&mut sandbox, "globalThis.crypto.randomUUID() === globalThis.crypto.randomUUID()", json!(false));
    for bad in ["-1", "1.5", "NaN", "2 ** 31", "'x'"] {
        expect_error(&mut sandbox, &format!("crypto.randomBytes({bad})"), "RangeError");
    }
    expect_error(&mut sandbox, "crypto.getRandomValues(new Float64Array(1))", "integers");
    expect_error(&mut sandbox, "crypto.getRandomValues(new Uint8Array(65537))", "65536");
}

#[test]
fn comparing_takes_bytes_of_the_same_length() {
    let mut sandbox = evaluator();
    expect(&mut sandbox, "crypto.timingSafeEqual(new Uint8Array([1, 2]), new Uint8Array([1, 2]))", json!(true));
    expect(&mut sandbox, "crypto.timingSafeEqual(new Uint8Array([1, 2]), new Uint8Array([1, 3]))", json!(false));
    expect_error(&mut sandbox, "crypto.timingSafeEqual(new Uint8Array(1), new Uint8Array(2))", "same byte length");
}

#[test]
fn the_module_can_be_imported_under_both_names_and_by_default() {
    let source = "import crypto from 'node:crypto'; import { createHash } from 'crypto';
        function handler() { return crypto.createHash === createHash && globalThis.crypto.createHash === createHash; }";
    assert_eq!(call(&mut loaded(source), "0").expect("a result"), true);
}

#[test]
fn text_is_encoded_and_decoded() {
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "[...new TextEncoder().encode('aü🦀\\ud800')]",
        json!([97, 195, 188, 240, 159, 166, 128, 239, 191, 189]),
    );
    expect(&mut sandbox, "new TextDecoder().decode(new TextEncoder().encode('aü🦀\\0'))", json!("aü🦀\0"));
    expect(&mut sandbox, "new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))", json!("a"));
    expect(
        &mut sandbox,
        "new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf]))",
        json!("\u{feff}"),
    );
    expect(
        &mut sandbox,
        "new TextDecoder().decode(new Uint8Array([0x61, 0xff, 0xe2, 0x82]))",
        json!("a\u{fffd}\u{fffd}"),
    );
    expect(
        &mut sandbox,
        "new TextDecoder('utf-16le').decode(new Uint16Array([0x61, 0xd83e, 0xdd80, 0xd800]))",
        json!("a🦀\u{fffd}"),
    );
    expect(
        &mut sandbox,
        "(() => { const d = new TextDecoder(); return [...new TextEncoder().encode('ü🦀')].map((b) => d.decode(new Uint8Array([b]), { stream: true })).join('') + d.decode(); })()",
        json!("ü🦀"),
    );
    expect(
        &mut sandbox,
        "(() => { const into = new Uint8Array(5); const r = new TextEncoder().encodeInto('aü🦀', into); return [r.read, r.written, ...into]; })()",
        json!([2, 3, 97, 195, 188, 0, 0]),
    );
    expect_error(&mut sandbox, "new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff]))", "not valid");
    expect_error(&mut sandbox, "new TextDecoder('klingon')", "not supported");
}

#[test]
fn values_are_cloned_deeply() {
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "(() => {
            const a = { date: new Date(5), re: /x/gi, map: new Map([[{ k: 1 }, new Set([1])]]), bytes: new Uint8Array([1, 2, 3]).subarray(1),
                list: [1, , undefined, null, 10n.toString()], error: new RangeError('no') };
            a.self = a;
            const b = structuredClone(a);
            return [b !== a, b.self === b, b.date.getTime(), String(b.re), [...b.map.values()][0].has(1), [...b.bytes], b.bytes.buffer !== a.bytes.buffer,
                1 in b.list, b.list.length, b.error instanceof RangeError, b.error.message];
        })()",
        json!([true, true, 5, "/x/gi", true, [2, 3], true, false, 5, true, "no"]),
    );
    for bad in ["() => 1", "Symbol()", "{ f() {} }", "Promise.resolve()", "new WeakMap()"] {
        expect_error(&mut sandbox, &format!("structuredClone({bad})"), "cannot be cloned");
    }
}

#[test]
fn the_rest_is_there() {
    let mut sandbox = evaluator();
    expect(&mut sandbox, "[btoa('abc'), atob('YWJj')]", json!(["YWJj", "abc"]));
    expect(&mut sandbox, "new Promise((resolve) => queueMicrotask(() => resolve('ran')))", json!("ran"));
    expect(
        &mut sandbox,
        "Number.isFinite(performance.now()) && performance.now() >= 0 && performance.now() < 1e7",
        json!(true),
    );
    expect(
        &mut sandbox,
        "(() => { function f() { return f() + 1; } try { f(); } catch (e) { return e instanceof RangeError; } })()",
        json!(true),
    );
}

#[test]
fn what_is_internal_cannot_be_imported() {
    for specifier in ["hyperlight:native", "hyperlight:bytes", "hyperlight:globals"] {
        let source = format!(
            "async function handler() {{ try {{ await import('{specifier}'); }} catch (e) {{ return e.message; }} }}"
        );
        let message = call(&mut loaded(&source), "0").expect("a result");
        assert_eq!(message, format!("cannot find module '{specifier}'"));
    }
}
