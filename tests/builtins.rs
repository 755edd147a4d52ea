//! What guest code finds built in.

mod sandboxes;

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder};
use sandboxes::{call, guarded, load, loaded};
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
    expect(
        &mut sandbox,
        "['a\\ud800b', 'a\\ufffdb', 'a\\ud800'].map((text) => crypto.createHash('md5').update(text).digest('hex')).map((hash, i, all) => all.indexOf(hash))",
        json!([0, 0, 2]),
    );
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
    for class in ["Float16Array", "Float32Array", "Float64Array"] {
        expect_error(&mut sandbox, &format!("crypto.getRandomValues(new {class}(1))"), "integers");
    }
    for bad in ["new DataView(new ArrayBuffer(1))", "new ArrayBuffer(1)", "[1]", "null", ""] {
        expect_error(&mut sandbox, &format!("crypto.getRandomValues({bad})"), "integers");
    }
    expect(
        &mut sandbox,
        "[Int8Array, Uint8ClampedArray, BigInt64Array, BigUint64Array].map((T) => crypto.getRandomValues(new T(9)).some(Boolean))",
        json!([true, true, true, true]),
    );
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
fn text_decoders_know_all_labels_of_their_encodings() {
    let mut sandbox = evaluator();
    for (encoding, labels) in [
        ("utf-8", "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 UTF8"),
        ("utf-16le", "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le UCS-2"),
        ("utf-16be", "unicodefffe utf-16be"),
        (
            "windows-1252",
            "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 \
             iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 Latin1",
        ),
    ] {
        for label in labels.split(' ') {
            expect(&mut sandbox, &format!("new TextDecoder('{label}').encoding"), json!(encoding));
            expect(
                &mut sandbox,
                &format!("new TextDecoder(' \\t\\n\\f\\r{label}\\r\\f\\n\\t ').encoding"),
                json!(encoding),
            );
        }
    }
    for bad in ["", " ", "\\u00a0utf-8", "utf-8\\u00a0", "utf-8\\v", "utf-8\\0", "utf\\u2028", "utf_8", "replacement"] {
        expect_error(&mut sandbox, &format!("new TextDecoder('{bad}')"), "RangeError");
    }
}

#[test]
fn text_decoders_decode_each_encoding() {
    let mut sandbox = evaluator();
    for (decoder, bytes, text) in [
        (
            "'utf-8'",
            "0xf0, 0x9f, 0xa6, 0x80, 0xf0, 0x9f, 0x41, 0xc0, 0x80, 0xed, 0xa0, 0x80",
            "🦀\u{fffd}A\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
        ),
        ("'utf-8'", "0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf", "\u{feff}"),
        (
            "'utf-16le'",
            "0xff, 0xfe, 0x41, 0x00, 0x3e, 0xd8, 0x80, 0xdd, 0x80, 0xdd, 0x3e, 0xd8, 0x42, 0x00, 0x43",
            "A🦀\u{fffd}\u{fffd}B\u{fffd}",
        ),
        ("'utf-16be'", "0xfe, 0xff, 0x00, 0x41, 0xd8, 0x3e, 0xdd, 0x80, 0xd8, 0x3e", "A🦀\u{fffd}"),
        ("'utf-16be', { ignoreBOM: true }", "0xfe, 0xff, 0x00, 0x41", "\u{feff}A"),
        ("'latin1'", "0x41, 0x80, 0x81, 0x9f, 0xa0, 0xff", "A€\u{81}Ÿ\u{a0}ÿ"),
        ("'latin1'", "0xef, 0xbb, 0xbf", "ï»¿"),
    ] {
        expect(&mut sandbox, &format!("new TextDecoder({decoder}).decode(Uint8Array.of({bytes}))"), json!(text));
        // The same a byte at a time.
        let expression = format!(
            "(() => {{ const d = new TextDecoder({decoder}); return [{bytes}].map((b) => d.decode(Uint8Array.of(b), {{ stream: true }})).join('') + d.decode(); }})()"
        );
        expect(&mut sandbox, &expression, json!(text));
    }
}

#[test]
fn a_fatal_text_decoder_begins_anew_after_an_error() {
    let mut sandbox = evaluator();
    // What a decoder makes of bytes, one call after the other. A call that is no stream ends with a dot.
    for (encoding, calls, results) in [
        ("utf-8", "[[0xe2]], [[0x41], '.'], [[65], '.']", json!(["", "TypeError", "A"])),
        ("utf-8", "[[0xff], '.'], [[65], '.']", json!(["TypeError", "A"])),
        ("utf-8", "[[0xe2]], [[], '.'], [[65], '.']", json!(["", "TypeError", "A"])),
        // In a stream, what follows the error is decoded by the next call.
        ("utf-8", "[[0x41, 0xe2, 0x42, 0x43]], [[0x44], '.']", json!(["TypeError", "BCD"])),
        ("utf-8", "[[0xe2]], [[0x82]], [[0xac], '.']", json!(["", "", "€"])),
        (
            "utf-8",
            "[[0xef]], [[0xbb, 0xbf]], [[0x41]], [[0xef, 0xbb, 0xbf], '.'], [[0xef, 0xbb, 0xbf], '.']",
            json!(["", "", "A", "\u{feff}", ""]),
        ),
        ("utf-16le", "[[0]], [[0, 0x3e], '.'], [[65, 0], '.']", json!(["", "TypeError", "A"])),
        ("utf-16le", "[[0x3e, 0xd8]], [[65, 0]], [[66, 0], '.']", json!(["", "TypeError", "AB"])),
        ("utf-16be", "[[0xdd, 0x80, 0, 65]], [[0, 66], '.']", json!(["TypeError", "AB"])),
    ] {
        let expression = format!(
            "(() => {{ const d = new TextDecoder('{encoding}', {{ fatal: true }}); return [{calls}].map(([bytes, end]) => {{ try {{ return d.decode(Uint8Array.from(bytes), {{ stream: !end }}); }} catch (e) {{ return e.name; }} }}); }})()"
        );
        expect(&mut sandbox, &expression, results);
    }
}

#[test]
fn encoders_and_decoders_take_what_their_standard_says() {
    let mut sandbox = evaluator();
    for input in [
        "new Uint8Array([65, 66]).buffer",
        "new DataView(new Uint8Array([64, 65, 66]).buffer, 1)",
        "new Uint8Array([64, 65, 66, 67]).subarray(1, 3)",
        "(() => { const s = new SharedArrayBuffer(2); new Uint8Array(s).set([65, 66]); return s; })()",
        "(() => { const s = new Uint8Array(new SharedArrayBuffer(3)); s.set([65, 66]); return s.subarray(0, 2); })()",
        "(() => { const b = new ArrayBuffer(9, { maxByteLength: 9 }); const u = new Uint8Array(b); u.set([65, 66]); b.resize(2); return u; })()",
        "(() => { const b = new ArrayBuffer(1, { maxByteLength: 9 }); const u = new Uint8Array(b); b.resize(2); u.set([65, 66]); return u; })()",
        "new Uint16Array([0x4241])",
    ] {
        expect(&mut sandbox, &format!("new TextDecoder().decode({input})"), json!("AB"));
    }
    expect(
        &mut sandbox,
        "(() => { const u = new Uint8Array(4); u.buffer.transfer(); return new TextDecoder().decode(u); })()",
        json!(""),
    );
    for (options, text) in [("", "A"), ("undefined", "A"), ("null", "A"), ("{}", "A"), ("() => 1", "A")] {
        expect(
            &mut sandbox,
            &format!("new TextDecoder('utf8', {options}).decode(Uint8Array.of(65), {options})").replace(", )", ")"),
            json!(text),
        );
    }
    for bad in ["null", "5", "'text'", "{}", "[]"] {
        expect_error(&mut sandbox, &format!("new TextDecoder().decode({bad})"), "TypeError");
    }
    for bad in ["5", "'x'", "Symbol()"] {
        expect_error(&mut sandbox, &format!("new TextDecoder('utf8', {bad})"), "TypeError");
        expect_error(&mut sandbox, &format!("new TextDecoder().decode(new Uint8Array(), {bad})"), "TypeError");
    }
    expect(
        &mut sandbox,
        "[5, null, undefined, '', '\\ud83e\\udd80\\udd80'].map((v) => new TextEncoder().encode(v).join())",
        json!(["53", "110,117,108,108", "", "", "240,159,166,128,239,191,189"]),
    );
    expect(
        &mut sandbox,
        "[[3], [4], [0], [10, 1, 2]].map((place) => { const u = new Uint8Array(new SharedArrayBuffer(10)).subarray(...place.slice(1).length ? place.slice(1) : [0, place[0]]); const r = new TextEncoder().encodeInto('\\ud83e\\udd80\\ud83e', u); return [r.read, r.written]; })",
        json!([[0, 0], [2, 4], [0, 0], [0, 0]]),
    );
    for bad in [
        "new Uint16Array(4)",
        "new Uint8ClampedArray(4)",
        "new Int8Array(4)",
        "new ArrayBuffer(4)",
        "new DataView(new ArrayBuffer(4))",
        "[]",
        "null",
    ] {
        expect_error(&mut sandbox, &format!("new TextEncoder().encodeInto('a', {bad})"), "TypeError");
    }
    for bad in ["encodeInto()", "encodeInto('a')"] {
        expect_error(&mut sandbox, &format!("new TextEncoder().{bad}"), "TypeError");
    }
}

#[test]
fn a_view_that_follows_its_buffer_has_the_bytes_of_now() {
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "(() => { const b = new ArrayBuffer(4, { maxByteLength: 9 }); const u = new Uint8Array(b, 1); b.resize(0); return [crypto.createHash('md5').update(u).digest('hex'), new TextEncoder().encodeInto('a', u).written]; })()",
        json!(["d41d8cd98f00b204e9800998ecf8427e", 0]),
    );
}

#[test]
fn text_that_is_too_much_for_the_heap_makes_the_guest_throw_and_no_more() {
    let source = "function handler([decoder, byte, size]) {
        const bytes = new Uint8Array(size).fill(byte);
        const results = [];
        for (const f of [() => new TextDecoder(decoder).decode(bytes).length, () => new TextEncoder().encode('\\u0800'.repeat(size)).length,
            () => new TextEncoder().encodeInto('\\u0800'.repeat(size / 4), bytes).written]) {
            try { results.push(f()); } catch (e) { results.push(e.message); }
        }
        return results;
    }";
    let mut sandbox = load(SandboxBuilder::new().with_guest_heap_size(8 << 20), source).expect("it loads");
    for size in [1 << 10, 1 << 18, 1 << 20, 3 << 20, 6 << 20] {
        for (decoder, byte) in
            [("utf-8", 0x41), ("utf-8", 0xff), ("utf-16le", 0xd8), ("utf-16be", 0x41), ("latin1", 0x80)]
        {
            let event = json!([decoder, byte, size]).to_string();
            let result = guarded(&mut sandbox, |sandbox| call(sandbox, &event));
            assert!(matches!(result, Ok(_) | Err(Error::Guest { .. })), "{size} of {decoder}: {result:?}");
            assert!(!sandbox.poisoned(), "{size} of {decoder}");
        }
    }
    assert_eq!(call(&mut sandbox, r#"["utf-8", 65, 1024]"#).expect("usable"), json!([1024, 3072, 768]));
}

#[test]
fn shared_memory_can_grow_and_counts_towards_the_heap() {
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "(() => { const s = new SharedArrayBuffer(1, { maxByteLength: 20 }); const u = new Uint8Array(s); u[0] = 7; s.grow(20); return [s.growable, s.maxByteLength, u.length, u[0], u[19]]; })()",
        json!([true, 20, 20, 7, 0]),
    );
    expect_error(&mut sandbox, "new SharedArrayBuffer(2, { maxByteLength: 1 })", "RangeError");
    expect_error(&mut sandbox, "new SharedArrayBuffer(1, { maxByteLength: 2e9 })", "out of memory");
    expect_error(&mut sandbox, "new SharedArrayBuffer(2e9)", "out of memory");
    // What is not used any more is given back, a clone's memory when the last one of them goes.
    expect(
        &mut sandbox,
        "(() => { let s; for (let i = 0; i < 200; i++) { s = structuredClone(new SharedArrayBuffer(4 << 20)); new Uint8Array(s)[i] = 1; } return s.byteLength; })()",
        json!(4 << 20),
    );
    expect(
        &mut sandbox,
        "(() => { const all = []; try { for (;;) all.push(new SharedArrayBuffer(1 << 20)); } catch (e) { return [all.length > 40, all.length < 64]; } })()",
        json!([true, true]),
    );
    expect(&mut sandbox, "Atomics.add(new Int32Array(new SharedArrayBuffer(8)), 1, 5)", json!(0));
}

#[test]
fn a_regular_expression_goes_back_over_a_long_text() {
    let mut sandbox = evaluator();
    expect(&mut sandbox, "/^[^,]+$/.test('a'.repeat(700000))", json!(true));
    expect(&mut sandbox, "/^(?:a|b)*c/.test('ab'.repeat(100000))", json!(false));
    expect(&mut sandbox, "'a b '.repeat(100000).replace(/\\s+$/, '').length", json!(399_999));
}

#[test]
fn a_weak_reference_keeps_its_target_until_the_job_is_done() {
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "(() => { const ref = new WeakRef({ a: 1 }); return [ref.deref()?.a, ref.deref()?.a]; })()",
        json!([1, 1]),
    );
    expect(
        &mut sandbox,
        "(async () => { const ref = new WeakRef({}); await 0; await 0; return ref.deref() === undefined; })()",
        json!(true),
    );
    expect(
        &mut sandbox,
        "(async () => { let target = {}; const ref = new WeakRef(target); await 0; await 0; const kept = ref.deref() === target; target = undefined; return [kept, typeof ref.deref()]; })()",
        json!([true, "object"]),
    );
    expect(
        &mut sandbox,
        "(() => { class R extends WeakRef {} const r = new R(Symbol.for); return [r instanceof WeakRef, R.name, WeakRef.name, WeakRef.length, r.constructor === R, WeakRef.prototype.constructor === WeakRef]; })()",
        json!([true, "R", "WeakRef", 1, true, true]),
    );
    for bad in ["WeakRef({})", "new WeakRef()", "new WeakRef(1)", "WeakRef.prototype.deref.call({})"] {
        expect_error(&mut sandbox, bad, "TypeError");
    }
}

#[test]
fn a_long_chain_of_iterators_gives_what_a_short_one_gives() {
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "[1, 127, 128, 129, 500].map((length) => { let i = [1, 2, 3].values(); for (let n = 0; n < length; n++) i = i.map((x) => x + 1); return [...i].map((x) => x - length).join(); })",
        json!(["1,2,3", "1,2,3", "1,2,3", "1,2,3", "1,2,3"]),
    );
    expect(
        &mut sandbox,
        "(() => { let done = 0; let i = (function* () { try { yield 1; yield 2; } finally { done++; } })(); for (let n = 0; n < 300; n++) i = i.filter(() => true); for (const x of i) break; return [done, i.next().done]; })()",
        json!([1, true]),
    );
    expect(
        &mut sandbox,
        "[Iterator.prototype.map.name, Iterator.prototype.map.length, 'prototype' in Iterator.prototype.map]",
        json!(["map", 1, false]),
    );
    for bad in
        ["Iterator.prototype.map.call(1, (x) => x)", "[].values().map()", "Iterator.prototype.take.call({}, NaN)"]
    {
        expect_error(&mut sandbox, bad, "Error");
    }
}

#[test]
fn a_saved_reaction_of_an_async_disposable_stack_can_be_called_with_nothing() {
    // Once this read past its arguments.
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "(() => {
            const then = Promise.prototype.then;
            const saved = [];
            Promise.prototype.then = function (f, r) { saved.push(r); return Promise.resolve(); };
            try {
                const s = new AsyncDisposableStack();
                s.use(undefined);
                s.defer(() => { throw 1; });
                s.defer(() => {});
                s.disposeAsync();
            } finally { Promise.prototype.then = then; }
            return saved.filter((f) => f).map((f) => { try { return String(f()); } catch (e) { return String(e); } });
        })()",
        json!(["SuppressedError", "undefined"]),
    );
}

#[test]
fn the_rest_is_there() {
    let mut sandbox = evaluator();
    expect(
        &mut sandbox,
        "[btoa('abc'), atob('YWJj'), btoa(undefined), atob.length]",
        json!(["YWJj", "abc", "dW5kZWZpbmVk", 1]),
    );
    for missing in ["atob()", "btoa()"] {
        expect_error(&mut sandbox, missing, "TypeError");
    }
    expect_error(&mut sandbox, "atob('a')", "InvalidCharacterError");
    expect(&mut sandbox, "Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000", json!(true));
    expect(&mut sandbox, "JSON.parse(JSON.stringify(performance)).timeOrigin === performance.timeOrigin", json!(true));
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
    for specifier in
        ["hyperlight:native", "hyperlight:bytes", "hyperlight:clone", "hyperlight:globals", "hyperlight:platform"]
    {
        let source = format!(
            "async function handler() {{ try {{ await import('{specifier}'); }} catch (e) {{ return e.message; }} }}"
        );
        let message = call(&mut loaded(&source), "0").expect("a result");
        assert_eq!(message, format!("cannot find module '{specifier}'"));
    }
}
