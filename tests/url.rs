//! The classes `URL` and `URLSearchParams`.

mod sandboxes;

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder};
use sandboxes::{call, guarded, load, loaded};
use serde_json::{Value, json};

/// A sandbox whose handler evaluates an expression.
fn evaluator() -> LoadedJSSandbox {
    loaded("async function handler(event) { return await eval(event); }")
}

fn expect(sandbox: &mut LoadedJSSandbox, expression: &str, value: Value) {
    let event = json!(expression).to_string();
    assert_eq!(call(sandbox, &event).expect(expression), value, "{expression}");
}

/// What a function, JavaScript source, makes of each of many values.
fn mapped(function: &str, values: Vec<Value>) -> Vec<Value> {
    let mut sandbox = loaded(&format!("function handler(values) {{ return values.map({function}); }}"));
    match call(&mut sandbox, &json!(values).to_string()).expect("a result") {
        Value::Array(results) => results,
        other => panic!("{other}"),
    }
}

#[test]
fn a_url_is_taken_apart() {
    let parts = "({ href, origin, protocol, username, password, host, hostname, port, pathname, search, hash }) =>
        [href, origin, protocol, username, password, host, hostname, port, pathname, search, hash]";
    let cases = [
        (
            "https://us%20er:pa:ss@EXAMPLE.com:8080/a/./b/../c;d?e=f&g#h?i",
            [
                "https://us%20er:pa%3Ass@example.com:8080/a/c;d?e=f&g#h?i",
                "https://example.com:8080",
                "https:",
                "us%20er",
                "pa%3Ass",
                "example.com:8080",
                "example.com",
                "8080",
                "/a/c;d",
                "?e=f&g",
                "#h?i",
            ],
        ),
        ("http://h:80", ["http://h/", "http://h", "http:", "", "", "h", "h", "", "/", "", ""]),
        ("wss://h:443/x", ["wss://h/x", "wss://h", "wss:", "", "", "h", "h", "", "/x", "", ""]),
        ("ftp://h:21/", ["ftp://h/", "ftp://h", "ftp:", "", "", "h", "h", "", "/", "", ""]),
        ("ftp://h:22/", ["ftp://h:22/", "ftp://h:22", "ftp:", "", "", "h:22", "h", "22", "/", "", ""]),
        ("file:///a/b", ["file:///a/b", "null", "file:", "", "", "", "", "", "/a/b", "", ""]),
        (
            "blob:https://h:8/x-y",
            ["blob:https://h:8/x-y", "https://h:8", "blob:", "", "", "", "", "", "https://h:8/x-y", "", ""],
        ),
        ("blob:ftp://h/", ["blob:ftp://h/", "null", "blob:", "", "", "", "", "", "ftp://h/", "", ""]),
        ("blob:x", ["blob:x", "null", "blob:", "", "", "", "", "", "x", "", ""]),
        (
            "data:text/plain,a b?c#d",
            ["data:text/plain,a b?c#d", "null", "data:", "", "", "", "", "", "text/plain,a b", "?c", "#d"],
        ),
        ("x:a", ["x:a", "null", "x:", "", "", "", "", "", "a", "", ""]),
        ("web+x://h:80/p", ["web+x://h:80/p", "null", "web+x:", "", "", "h:80", "h", "80", "/p", "", ""]),
        ("http://h/?#", ["http://h/?#", "http://h", "http:", "", "", "h", "h", "", "/", "", ""]),
        (" \thttp:\\\\h\\p\n ", ["http://h/p", "http://h", "http:", "", "", "h", "h", "", "/p", "", ""]),
        ("x:///p", ["x:///p", "null", "x:", "", "", "", "", "", "/p", "", ""]),
        ("x:/.//p", ["x:/.//p", "null", "x:", "", "", "", "", "", "//p", "", ""]),
    ];
    let function = format!("(url) => ({parts})(new URL(url))");
    let results = mapped(&function, cases.iter().map(|(url, _)| json!(url)).collect());
    for ((url, parts), result) in cases.iter().zip(results) {
        assert_eq!(result, json!(parts), "{url}");
    }
}

#[test]
fn a_url_is_resolved_against_a_base() {
    type Case = (&'static str, &'static [(&'static str, Option<&'static str>)]);
    let cases: [Case; 5] = [
        (
            "http://h/a/b/c?d#e",
            &[
                ("", Some("http://h/a/b/c?d")),
                ("x", Some("http://h/a/b/x")),
                ("./x/.", Some("http://h/a/b/x/")),
                ("../x", Some("http://h/a/x")),
                ("../../../x", Some("http://h/x")),
                ("/x", Some("http://h/x")),
                ("//o/x", Some("http://o/x")),
                ("?q", Some("http://h/a/b/c?q")),
                ("#f", Some("http://h/a/b/c?d#f")),
                ("http:x", Some("http://h/a/b/x")),
                ("http:/x", Some("http://h/x")),
                ("https:x", Some("https://x/")),
                ("x/%2e%2E/y", Some("http://h/a/b/y")),
                ("/a/./b/../c", Some("http://h/a/c")),
                ("\\x", Some("http://h/x")),
                ("///o", Some("http://o/")),
                ("y:z", Some("y:z")),
                (" x\t\n", Some("http://h/a/b/x")),
            ],
        ),
        (
            "x://h/a/b",
            &[
                ("", Some("x://h/a/b")),
                ("x", Some("x://h/a/x")),
                ("./x/.", Some("x://h/a/x/")),
                ("../x", Some("x://h/x")),
                ("../../../x", Some("x://h/x")),
                ("/x", Some("x://h/x")),
                ("//o/x", Some("x://o/x")),
                ("?q", Some("x://h/a/b?q")),
                ("#f", Some("x://h/a/b#f")),
                ("http:x", Some("http://x/")),
                ("http:/x", Some("http://x/")),
                ("https:x", Some("https://x/")),
                ("x/%2e%2E/y", Some("x://h/a/y")),
                ("/a/./b/../c", Some("x://h/a/c")),
                ("\\x", Some("x://h/a/\\x")),
                ("///o", Some("x:///o")),
                ("y:z", Some("y:z")),
                (" x\t\n", Some("x://h/a/x")),
            ],
        ),
        (
            "file:///d/e",
            &[
                ("", Some("file:///d/e")),
                ("x", Some("file:///d/x")),
                ("./x/.", Some("file:///d/x/")),
                ("../x", Some("file:///x")),
                ("../../../x", Some("file:///x")),
                ("/x", Some("file:///x")),
                ("//o/x", Some("file://o/x")),
                ("?q", Some("file:///d/e?q")),
                ("#f", Some("file:///d/e#f")),
                ("http:x", Some("http://x/")),
                ("http:/x", Some("http://x/")),
                ("https:x", Some("https://x/")),
                ("x/%2e%2E/y", Some("file:///d/y")),
                ("/a/./b/../c", Some("file:///a/c")),
                ("\\x", Some("file:///x")),
                ("///o", Some("file:///o")),
                ("y:z", Some("y:z")),
                (" x\t\n", Some("file:///d/x")),
            ],
        ),
        (
            "mailto:a@b",
            &[
                ("", None),
                ("x", None),
                ("./x/.", None),
                ("../x", None),
                ("../../../x", None),
                ("/x", None),
                ("//o/x", None),
                ("?q", None),
                ("#f", Some("mailto:a@b#f")),
                ("http:x", Some("http://x/")),
                ("http:/x", Some("http://x/")),
                ("https:x", Some("https://x/")),
                ("x/%2e%2E/y", None),
                ("/a/./b/../c", None),
                ("\\x", None),
                ("///o", None),
                ("y:z", Some("y:z")),
                (" x\t\n", None),
            ],
        ),
        (
            "http://u:p@h:81",
            &[
                ("", Some("http://u:p@h:81/")),
                ("x", Some("http://u:p@h:81/x")),
                ("./x/.", Some("http://u:p@h:81/x/")),
                ("../x", Some("http://u:p@h:81/x")),
                ("../../../x", Some("http://u:p@h:81/x")),
                ("/x", Some("http://u:p@h:81/x")),
                ("//o/x", Some("http://o/x")),
                ("?q", Some("http://u:p@h:81/?q")),
                ("#f", Some("http://u:p@h:81/#f")),
                ("http:x", Some("http://u:p@h:81/x")),
                ("http:/x", Some("http://u:p@h:81/x")),
                ("https:x", Some("https://x/")),
                ("x/%2e%2E/y", Some("http://u:p@h:81/y")),
                ("/a/./b/../c", Some("http://u:p@h:81/a/c")),
                ("\\x", Some("http://u:p@h:81/x")),
                ("///o", Some("http://o/")),
                ("y:z", Some("y:z")),
                (" x\t\n", Some("http://u:p@h:81/x")),
            ],
        ),
    ];
    for (base, references) in cases {
        let values = references.iter().map(|(reference, _)| json!([reference, base])).collect();
        let results = mapped("([url, base]) => URL.parse(url, base)", values);
        for ((reference, href), result) in references.iter().zip(results) {
            assert_eq!(result, json!(href), "{reference:?} against {base}");
        }
    }
}

#[test]
fn a_host_is_normalised_in_a_special_url_and_encoded_in_another() {
    let cases = [
        ("EXAMPLE.com", Some("example.com"), Some("EXAMPLE.com")),
        ("example.com.", Some("example.com."), Some("example.com.")),
        ("127.0.0.1", Some("127.0.0.1"), Some("127.0.0.1")),
        ("0x7f.1", Some("127.0.0.1"), Some("0x7f.1")),
        ("0300.168.0xF0", Some("192.168.0.240"), Some("0300.168.0xF0")),
        ("1", Some("0.0.0.1"), Some("1")),
        ("4294967295", Some("255.255.255.255"), Some("4294967295")),
        ("4294967296", None, Some("4294967296")),
        ("1.2.3.256", None, Some("1.2.3.256")),
        ("1.2.3.4.5", None, Some("1.2.3.4.5")),
        ("1.2.3.4.", Some("1.2.3.4"), Some("1.2.3.4.")),
        ("a.1", None, Some("a.1")),
        ("0x", Some("0.0.0.0"), Some("0x")),
        ("09", None, Some("09")),
        ("%31%32", Some("0.0.0.12"), Some("%31%32")),
        ("[::1]", Some("[::1]"), Some("[::1]")),
        ("[1:0:0:2::3]", Some("[1:0:0:2::3]"), Some("[1:0:0:2::3]")),
        ("[2001:DB8::A]", Some("[2001:db8::a]"), Some("[2001:db8::a]")),
        ("[::ffff:1.2.3.4]", Some("[::ffff:102:304]"), Some("[::ffff:102:304]")),
        ("[1::2::3]", None, None),
        ("[::1", None, None),
        ("[1:2:3:4:5:6:7:8:9]", None, None),
        ("münchen.de", Some("xn--mnchen-3ya.de"), Some("m%C3%BCnchen.de")),
        ("MÜNCHEN.de", Some("xn--mnchen-3ya.de"), Some("M%C3%9CNCHEN.de")),
        ("faß.de", Some("xn--fa-hia.de"), Some("fa%C3%9F.de")),
        ("日本語.jp", Some("xn--wgv71a119e.jp"), Some("%E6%97%A5%E6%9C%AC%E8%AA%9E.jp")),
        ("xn--mnchen-3ya.de", Some("xn--mnchen-3ya.de"), Some("xn--mnchen-3ya.de")),
        ("xn--a", None, Some("xn--a")),
        ("💩.la", Some("xn--ls8h.la"), Some("%F0%9F%92%A9.la")),
        (
            "مثال.إختبار",
            Some("xn--mgbh0fb.xn--kgbechtv"),
            Some("%D9%85%D8%AB%D8%A7%D9%84.%D8%A5%D8%AE%D8%AA%D8%A8%D8%A7%D8%B1"),
        ),
        ("ex\u{ad}ample.com", Some("example.com"), Some("ex%C2%ADample.com")),
        ("１２７.0.0.1", Some("127.0.0.1"), Some("%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1")),
        ("a%41b", Some("aab"), Some("a%41b")),
        ("a_b", Some("a_b"), Some("a_b")),
        ("a b", None, None),
        ("a%00b", None, Some("a%00b")),
        ("a<b", None, None),
        ("a|b", None, None),
        ("a^b", None, None),
        ("a%b", None, Some("a%b")),
        ("%zz", None, Some("%zz")),
        ("", None, Some("")),
        ("\u{ad}", None, Some("%C2%AD")),
        ("a..b", Some("a..b"), Some("a..b")),
        ("-a-", Some("-a-"), Some("-a-")),
        ("ab--c", Some("ab--c"), Some("ab--c")),
    ];
    let function = "(host) => ['https', 'x'].map((scheme) => URL.parse(`${scheme}://${host}/`)?.hostname ?? null)";
    let results = mapped(function, cases.iter().map(|(host, ..)| json!(host)).collect());
    for ((host, special, other), result) in cases.iter().zip(results) {
        assert_eq!(result, json!([special, other]), "{host}");
    }
}

#[test]
fn a_part_is_set_unless_the_url_cannot_have_the_value() {
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);
    let cases: [Case; 26] = [
        (
            "http://u:p@h:81/p?q#f",
            "protocol",
            &[
                ("https", "https://u:p@h:81/p?q#f"),
                ("https:", "https://u:p@h:81/p?q#f"),
                ("HTTPS:x", "https://u:p@h:81/p?q#f"),
                ("x", "http://u:p@h:81/p?q#f"),
                ("file", "http://u:p@h:81/p?q#f"),
                ("1", "http://u:p@h:81/p?q#f"),
                ("", "http://u:p@h:81/p?q#f"),
            ],
        ),
        ("https://h:80/", "protocol", &[("http", "http://h/")]),
        ("x://h/", "protocol", &[("y", "y://h/"), ("http", "x://h/"), ("a+b-c.d", "a+b-c.d://h/")]),
        ("file:///p", "protocol", &[("http", "file:///p")]),
        ("http://h/", "username", &[("a b:@/ü'", "http://a%20b%3A%40%2F%C3%BC'@h/"), ("", "http://h/")]),
        ("http://u:p@h/", "username", &[("", "http://:p@h/")]),
        ("http://u:p@h/", "password", &[("", "http://u@h/"), ("a:b@c", "http://u:a%3Ab%40c@h/")]),
        ("file:///p", "username", &[("u", "file:///p")]),
        ("mailto:a", "password", &[("p", "mailto:a")]),
        (
            "http://h:81/p",
            "host",
            &[
                ("o", "http://o:81/p"),
                ("o:82", "http://o:82/p"),
                ("o:80", "http://o/p"),
                ("o:x", "http://o:81/p"),
                ("o/y?z#w", "http://o:81/p"),
                ("", "http://h:81/p"),
                ("a b", "http://h:81/p"),
                ("münchen.de:9", "http://xn--mnchen-3ya.de:9/p"),
                ("[::1]:5", "http://[::1]:5/p"),
                ("0x7f.1", "http://127.0.0.1:81/p"),
            ],
        ),
        ("x://h:81/p", "host", &[("", "x://h:81/p"), ("ü", "x://%C3%BC:81/p"), ("A^B", "x://h:81/p")]),
        ("mailto:a", "host", &[("h", "mailto:a")]),
        ("x:/p", "host", &[("h", "x://h/p")]),
        ("file:///p", "host", &[("h", "file://h/p"), ("localhost", "file:///p"), ("h:1", "file:///p")]),
        (
            "http://h:81/p",
            "hostname",
            &[
                ("o", "http://o:81/p"),
                ("o:82", "http://h:81/p"),
                ("o/y", "http://o:81/p"),
                ("", "http://h:81/p"),
                ("a<b", "http://h:81/p"),
            ],
        ),
        (
            "http://h/p",
            "port",
            &[
                ("8080", "http://h:8080/p"),
                ("80", "http://h/p"),
                ("", "http://h/p"),
                ("0", "http://h:0/p"),
                ("65535", "http://h:65535/p"),
                ("65536", "http://h/p"),
                ("8a", "http://h:8/p"),
                ("a8", "http://h/p"),
                ("-1", "http://h/p"),
                ("9/x", "http://h:9/p"),
            ],
        ),
        ("http://h:81/p", "port", &[("", "http://h/p"), ("80", "http://h/p"), ("99999", "http://h:81/p")]),
        ("file:///p", "port", &[("1", "file:///p")]),
        ("x:a", "port", &[("1", "x:a")]),
        (
            "http://h/p?q#f",
            "pathname",
            &[
                ("", "http://h/?q#f"),
                ("a", "http://h/a?q#f"),
                ("/a/../b", "http://h/b?q#f"),
                ("\\a", "http://h/a?q#f"),
                ("a?b#c", "http://h/a%3Fb%23c?q#f"),
                ("a b<>\"`{}ü", "http://h/a%20b%3C%3E%22%60%7B%7D%C3%BC?q#f"),
                ("%2e%2e/x", "http://h/x?q#f"),
                ("//x", "http://h//x?q#f"),
            ],
        ),
        ("x:a", "pathname", &[("b", "x:a")]),
        ("x:/p", "pathname", &[("//e", "x:/.//e"), ("/.//p", "x:/.//p")]),
        (
            "http://h/p?q#f",
            "search",
            &[
                ("", "http://h/p#f"),
                ("?", "http://h/p?#f"),
                ("a", "http://h/p?a#f"),
                ("?a b\"<>'#ü", "http://h/p?a%20b%22%3C%3E%27%23%C3%BC#f"),
                ("??", "http://h/p??#f"),
            ],
        ),
        ("x:a", "search", &[("a'b", "x:a?a'b")]),
        (
            "http://h/p?q#f",
            "hash",
            &[
                ("", "http://h/p?q"),
                ("#", "http://h/p?q#"),
                ("a", "http://h/p?q#a"),
                ("#a b\"<>`ü", "http://h/p?q#a%20b%22%3C%3E%60%C3%BC"),
                ("##", "http://h/p?q##"),
            ],
        ),
        ("javascript:a", "hash", &[("b", "javascript:a#b")]),
    ];
    for (url, name, settings) in cases {
        let values = settings.iter().map(|(value, _)| json!([url, name, value])).collect();
        let function = "([url, name, value]) => { url = new URL(url); url[name] = value; return url.href; }";
        for ((value, href), result) in settings.iter().zip(mapped(function, values)) {
            assert_eq!(result, *href, "{name} of {url} set to {value:?}");
        }
    }
}

#[test]
fn each_part_has_characters_of_its_own_to_encode() {
    let all = "!\"$%&'()*+,-.0123456789:;<=>@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~ \u{1}ü";
    let cases = [
        (
            "http",
            "username",
            "!%22$%&'()*+,-.0123456789%3A%3B%3C%3D%3E%40ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%20%01%C3%BC",
        ),
        (
            "http",
            "password",
            "!%22$%&'()*+,-.0123456789%3A%3B%3C%3D%3E%40ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%20%01%C3%BC",
        ),
        (
            "http",
            "pathname",
            "/!%22$%&'()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]%5E_%60abcdefghijklmnopqrstuvwxyz%7B|%7D~%20%01%C3%BC",
        ),
        (
            "http",
            "search",
            "?!%22$%&%27()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~%20%01%C3%BC",
        ),
        (
            "http",
            "hash",
            "#!%22$%&'()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_%60abcdefghijklmnopqrstuvwxyz{|}~%20%01%C3%BC",
        ),
        (
            "x",
            "username",
            "!%22$%&'()*+,-.0123456789%3A%3B%3C%3D%3E%40ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%20%01%C3%BC",
        ),
        (
            "x",
            "password",
            "!%22$%&'()*+,-.0123456789%3A%3B%3C%3D%3E%40ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%20%01%C3%BC",
        ),
        (
            "x",
            "pathname",
            "/!%22$%&'()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]%5E_%60abcdefghijklmnopqrstuvwxyz%7B|%7D~%20%01%C3%BC",
        ),
        (
            "x",
            "search",
            "?!%22$%&'()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~%20%01%C3%BC",
        ),
        (
            "x",
            "hash",
            "#!%22$%&'()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_%60abcdefghijklmnopqrstuvwxyz{|}~%20%01%C3%BC",
        ),
    ];
    let function =
        format!("([scheme, name]) => Object.assign(new URL(`${{scheme}}://h/`), {{ [name]: {} }})[name]", json!(all));
    let results = mapped(&function, cases.iter().map(|(scheme, name, _)| json!([scheme, name])).collect());
    for ((scheme, name, encoded), result) in cases.iter().zip(results) {
        assert_eq!(result, *encoded, "{name} of {scheme}");
    }
    let encoded = "%21%22%24%25%26%27%28%29*%2B%2C-.0123456789%3A%3B%3C%3D%3E%40ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D%7E+%01%C3%BC=";
    assert_eq!(mapped("(all) => `${new URLSearchParams([[all, '']])}`", vec![json!(all)]), [encoded]);
    let mut sandbox = evaluator();
    expect(&mut sandbox, "new URL('x:a b ?q').href + new URL('x:a b #').href", json!("x:a b%20?qx:a b%20#"));
}

#[test]
fn what_the_library_gets_wrong_is_mended() {
    let resolved = [
        ("..", "file:///a/C:", "file:///"),
        ("x/..", "file:///C:", "file:///C:/"),
        ("?q", "file:///a/C:", "file:///a/C:?q"),
        ("/\\\\o/x", "https://h", "https://o/x"),
        ("/\\o", "x://h/p", "x://h/\\o"),
        ("\t/\n\\o", "x:/p", "x:/\\o"),
    ];
    let values = resolved.iter().map(|(url, base, _)| json!([url, base])).collect();
    for ((url, base, href), result) in resolved.iter().zip(mapped("([url, base]) => URL.parse(url, base)", values)) {
        assert_eq!(result, *href, "{url:?} against {base}");
    }
    let set = [
        ("x:/.//p", "hostname", "h", "x://h//p"),
        ("x:/.//p", "pathname", "q", "x:/q"),
        ("x:/p?q#f", "pathname", "//h/e?", "x:/.//h/e%3F?q#f"),
        ("x://h/p?q", "pathname", "\n", "x://h?q"),
        ("http://h:8/", "port", "\n\t", "http://h:8/"),
        ("http://h:8/", "port", "", "http://h/"),
    ];
    let values = set.iter().map(|(url, name, value, _)| json!([url, name, value])).collect();
    let function = "([url, name, value]) => Object.assign(new URL(url), { [name]: value })";
    for ((url, name, value, href), result) in set.iter().zip(mapped(function, values)) {
        assert_eq!(result, *href, "{name} of {url} set to {value}");
    }
}

#[test]
fn a_file_url_is_parsed_as_the_standard_says() {
    // Without a base, and against one.
    let cases = [
        ("file:", None, "file:///"),
        ("FILE:a", None, "file:///a"),
        (" file:\n//h\t/a ", None, "file://h/a"),
        ("file:////foo", None, "file:////foo"),
        ("file:///.//", None, "file:////"),
        ("file:.//p", None, "file:////p"),
        ("file:///a/./b/%2e/c/../%2E./d/..", None, "file:///a/"),
        ("file:///../..", None, "file:///"),
        ("file://localhost//a//../..//", None, "file://///"),
        ("file:\\\\spider\\\\a", None, "file://spider//a"),
        ("file://EX%41MPLE/x", None, "file://example/x"),
        ("file://\u{fc}/", None, "file://xn--tda/"),
        ("file://1.2.3/", None, "file://1.2.0.3/"),
        ("file://[1::8]/C:/", None, "file://[1::8]/C:/"),
        ("file://host/C:/", None, "file://host/C:/"),
        ("file://C|/x", None, "file:///C:/x"),
        ("file:C|/x", None, "file:///C:/x"),
        ("file:///w|/m", None, "file:///w:/m"),
        ("file:///a/w|/m", None, "file:///a/w|/m"),
        ("file:///x/../w|", None, "file:///w:"),
        ("file:///C:/../..", None, "file:///C:/"),
        ("file:///C:/a/../../b", None, "file:///C:/b"),
        ("file:///CC:/..", None, "file:///"),
        (
            "file:///\u{fc} \"<>^`{}|'%zz?\u{fc} \"<>^`{}|'#\u{fc} \"<>^`{}|'",
            None,
            "file:///%C3%BC%20%22%3C%3E%5E%60%7B%7D|'%zz?%C3%BC%20%22%3C%3E^`{}|%27#%C3%BC%20%22%3C%3E^%60{}|'",
        ),
        ("file://?q", None, "file:///?q"),
        ("file://h#f?", None, "file://h/#f?"),
        ("file:///a?#", None, "file:///a?#"),
        ("file://h:8/", None, "Invalid URL"),
        ("file://u@h/", None, "Invalid URL"),
        ("file://a b/", None, "Invalid URL"),
        ("", Some("file://h/a/b?q#f"), "file://h/a/b?q"),
        ("?p", Some("file://h/a/b?q#f"), "file://h/a/b?p"),
        ("#g", Some("file://h/a/b?q#f"), "file://h/a/b?q#g"),
        ("x", Some("file://h/a/b?q#f"), "file://h/a/x"),
        ("/x", Some("file://h/a/b"), "file://h/x"),
        ("//g/x", Some("file://h/a/b"), "file://g/x"),
        ("///x", Some("file://h/a/b"), "file:///x"),
        ("file:x", Some("file://h/a/b"), "file://h/a/x"),
        ("file:/x", Some("file://h/a/b"), "file://h/x"),
        ("/x", Some("file://h/C:/a/b"), "file://h/C:/x"),
        ("/D|/x", Some("file://h/C:/a/b"), "file://h/D:/x"),
        ("D|/x", Some("file://h/C:/a/b"), "file://h/D:/x"),
        ("D|x", Some("file://h/C:/a/b"), "file://h/C:/a/D|x"),
        ("..", Some("file:///C:/"), "file:///C:/"),
        ("..", Some("file:///a/C:/"), "file:///a/"),
        ("http:x", Some("file:///a"), "http://x/"),
        ("file:x", Some("http://h/a"), "file:///x"),
        ("x:y", Some("file:///a"), "x:y"),
    ];
    let values = cases.iter().map(|(url, base, _)| json!([url, base])).collect();
    let function =
        "([url, base]) => { try { return new URL(url, base ?? undefined).href; } catch (e) { return e.message; } }";
    for ((url, base, href), result) in cases.iter().zip(mapped(function, values)) {
        assert_eq!(result, *href, "{url:?} against {base:?}");
    }

    let set = [
        ("file://h/p?q#f", "host", "", "file:///p?q#f"),
        ("file://h/p", "host", "g:8", "file://h/p"),
        ("file://h/p", "host", "g/x", "file://g/p"),
        ("file://h/p", "hostname", "LOCALHOST", "file:///p"),
        ("file://h/p", "hostname", "C:", "file://h/p"),
        ("file://h/p", "port", "8", "file://h/p"),
        ("file://h/p", "username", "u", "file://h/p"),
        ("file://h/p", "password", "u", "file://h/p"),
        ("file://h/p", "pathname", "", "file://h/"),
        ("file://h/p", "pathname", "\\\\a?#", "file://h//a%3F%23"),
        ("file:///p", "pathname", "C|/a", "file:///C:/a"),
        ("file:///p?q#f", "search", "", "file:///p#f"),
        ("file:///p?q#f", "search", "?'?", "file:///p?%27?#f"),
        ("file:///p?q#f", "hash", "", "file:///p?q"),
        ("file:///p?q#f", "hash", "#g#", "file:///p?q#g#"),
        ("file:///p", "protocol", "http", "file:///p"),
        ("file://h/p?q#f", "protocol", "HTTPS:x", "https://h/p?q#f"),
        ("file://h/p", "protocol", "x", "file://h/p"),
        ("http://h/p", "protocol", "file", "file://h/p"),
        ("http://h:8/p", "protocol", "file", "http://h:8/p"),
    ];
    let values = set.iter().map(|(url, name, value, _)| json!([url, name, value])).collect();
    let function = "([url, name, value]) => { const u = new URL(url); u[name] = value; return u.href; }";
    for ((url, name, value, href), result) in set.iter().zip(mapped(function, values)) {
        assert_eq!(result, *href, "{name} of {url} set to {value}");
    }
    let parts = mapped(
        "(url) => { const u = new URL(url); return [u.origin, u.protocol, u.host, u.port, u.pathname, u.search, u.hash, u.username]; }",
        vec![json!("file://h/a/?#"), json!("file:///a?q#f")],
    );
    assert_eq!(parts[0], json!(["null", "file:", "h", "", "/a/", "", "", ""]));
    assert_eq!(parts[1], json!(["null", "file:", "", "", "/a", "?q", "#f", ""]));
}

#[test]
fn what_is_no_url_is_refused_as_in_node() {
    let mut sandbox = evaluator();
    let thrown = "(f) => { try { f(); } catch (e) { return [e instanceof TypeError, e.message, e.code, { ...e }]; } }";
    let cases = [
        (
            "() => new URL('x')",
            json!([true, "Invalid URL", "ERR_INVALID_URL", { "code": "ERR_INVALID_URL", "input": "x" }]),
        ),
        (
            "() => new URL('x', 'y')",
            json!([true, "Invalid URL", "ERR_INVALID_URL", { "code": "ERR_INVALID_URL", "input": "x", "base": "y" }]),
        ),
        (
            "() => { new URL('http://a').href = 'zz'; }",
            json!([true, "Invalid URL", "ERR_INVALID_URL", { "code": "ERR_INVALID_URL", "input": "zz" }]),
        ),
        (
            "() => new URL()",
            json!([true, "The \"url\" argument must be specified", "ERR_MISSING_ARGS", { "code": "ERR_MISSING_ARGS" }]),
        ),
        (
            "() => new URLSearchParams().append('a')",
            json!([true, "The \"name\" and \"value\" arguments must be specified", "ERR_MISSING_ARGS", { "code": "ERR_MISSING_ARGS" }]),
        ),
    ];
    for (function, error) in cases {
        expect(&mut sandbox, &format!("({thrown})({function})"), error);
    }
    expect(
        &mut sandbox,
        "[URL.canParse('x'), URL.canParse('x', 'http://h'), URL.canParse('x', 'y')]",
        json!([false, true, false]),
    );
    expect(&mut sandbox, "[URL.parse('x'), URL.parse('x', 'http://h')]", json!([null, "http://h/x"]));
    expect(
        &mut sandbox,
        "(() => { const u = new URL('http://h/p'); try { u.href = 'x'; } catch {} return u; })()",
        json!("http://h/p"),
    );
    for bad in ["URL('http://h')", "URL.prototype.href", "new URL(Symbol())", "URL.parse()", "URL.canParse()"] {
        expect(
            &mut sandbox,
            &format!("(() => {{ try {{ {bad}; }} catch (e) {{ return e.name; }} }})()"),
            json!("TypeError"),
        );
    }
}

#[test]
fn a_url_turns_into_text_and_text_into_a_url() {
    let mut sandbox = evaluator();
    expect(&mut sandbox, "[`${new URL('http://h')}`, new URL(new URL('http://h'))]", json!(["http://h/", "http://h/"]));
    expect(&mut sandbox, "new URL({ toString: () => 'a' }, { toString: () => 'http://h' }).href", json!("http://h/a"));
    expect(&mut sandbox, "new URL('http://h/\\ud800?\\udc00').href", json!("http://h/%EF%BF%BD?%EF%BF%BD"));
    expect(
        &mut sandbox,
        "[new URL('x:'), new URLSearchParams()].map((o) => Object.prototype.toString.call(o))",
        json!(["[object URL]", "[object URLSearchParams]"]),
    );
    expect(&mut sandbox, "Object.keys(globalThis).filter((name) => name.startsWith('URL'))", json!([]));
}

#[test]
fn the_parameters_of_a_url_follow_it_and_it_follows_them() {
    let mut sandbox = evaluator();
    let with = |body: &str| {
        format!("(() => {{ const u = new URL('http://h/p?a=1&b=2#f'); const p = u.searchParams; {body} }})()")
    };
    expect(&mut sandbox, &with("return [p === u.searchParams, p.get('b'), p.size];"), json!([true, "2", 2]));
    expect(&mut sandbox, &with("p.append('c d', 'é&'); return u;"), json!("http://h/p?a=1&b=2&c+d=%C3%A9%26#f"));
    expect(&mut sandbox, &with("p.set('a', '~'); p.delete('b'); return u;"), json!("http://h/p?a=%7E#f"));
    expect(&mut sandbox, &with("p.delete('a'); p.delete('b'); return [u, u.search];"), json!(["http://h/p#f", ""]));
    expect(&mut sandbox, &with("p.append('0', ''); p.sort(); return u.search;"), json!("?0=&a=1&b=2"));
    expect(&mut sandbox, &with("u.search = '?x=y+z'; return [...p];"), json!([["x", "y z"]]));
    expect(&mut sandbox, &with("u.href = 'x:y?z'; return [[...p], p === u.searchParams];"), json!([[["z", ""]], true]));
    expect(&mut sandbox, &with("u.search = ''; return [[...p], u.href];"), json!([[], "http://h/p#f"]));
    expect(
        &mut sandbox,
        &with("u.hash = ''; u.port = '1'; p.append('c', '3'); return u;"),
        json!("http://h:1/p?a=1&b=2&c=3"),
    );
    for name in ["searchParams", "origin"] {
        expect(
            &mut sandbox,
            &with(&format!("try {{ u.{name} = 1; }} catch (e) {{ return [e.name, u.searchParams === p, u.origin]; }}")),
            json!(["TypeError", true, "http://h"]),
        );
    }
    expect(
        &mut sandbox,
        "(() => { const u = new URL('http://h/?a b'); return [u.search, `${u.searchParams}`, u.search]; })()",
        json!(["?a%20b", "a+b=", "?a%20b"]),
    );
}

#[test]
fn parameters_are_made_of_text_pairs_and_records() {
    let mut sandbox = evaluator();
    let cases = [
        ("", json!([])),
        ("undefined", json!([])),
        ("null", json!([["null", ""]])),
        ("'?a=b&c'", json!([["a", "b"], ["c", ""]])),
        ("'??a'", json!([["?a", ""]])),
        ("'&&a=&=b&=&a=b=c'", json!([["a", ""], ["", "b"], ["", ""], ["a", "b=c"]])),
        ("'a+b=%2B%zz%C3%BC%ff%'", json!([["a b", "+%zzü\u{fffd}%"]])),
        ("'\\ufeffa=%EF%BB%BF'", json!([["\u{feff}a", "\u{feff}"]])),
        ("'a=\\ud800'", json!([["a", "\u{fffd}"]])),
        ("[['a', 1], new Set(['b', null])]", json!([["a", "1"], ["b", "null"]])),
        ("new Map([['a', 'b']])", json!([["a", "b"]])),
        ("new URLSearchParams('a=b&a=c')", json!([["a", "b"], ["a", "c"]])),
        ("{ b: 1, a: [2, 3] }", json!([["b", "1"], ["a", "2,3"]])),
        ("{ '\\ud800': 1, x: 2, '\\udc00': 3 }", json!([["\u{fffd}", "3"], ["x", "2"]])),
        ("Object.defineProperty(Object.create({ a: 1 }), 'b', { value: 2 })", json!([])),
        ("Object.assign(() => 0, { a: 1 })", json!([["a", "1"]])),
        ("5", json!([["5", ""]])),
    ];
    for (init, pairs) in cases {
        expect(&mut sandbox, &format!("[...new URLSearchParams({init})]"), pairs);
    }
    for (bad, code) in [
        ("[['a']]", json!("ERR_INVALID_TUPLE")),
        ("[['a', 'b', 'c']]", json!("ERR_INVALID_TUPLE")),
        ("['ab']", json!("ERR_INVALID_TUPLE")),
        ("[null]", json!("ERR_INVALID_TUPLE")),
        ("{ [Symbol.iterator]: 1 }", json!("ERR_ARG_NOT_ITERABLE")),
        ("{ [Symbol()]: 1 }", json!(null)),
        ("Symbol()", json!(null)),
    ] {
        let expression = format!(
            "(() => {{ try {{ new URLSearchParams({bad}); }} catch (e) {{ return [e.name, e.code ?? null]; }} }})()"
        );
        expect(&mut sandbox, &expression, json!(["TypeError", code]));
    }
}

#[test]
fn parameters_are_read_and_changed() {
    let mut sandbox = evaluator();
    let with = |body: &str| format!("(() => {{ const p = new URLSearchParams('a=1&b=2&a=3&c='); {body} }})()");
    expect(
        &mut sandbox,
        &with("return [p.get('a'), p.get('c'), p.get('x'), p.get('A')];"),
        json!(["1", "", null, null]),
    );
    expect(&mut sandbox, &with("return [p.getAll('a'), p.getAll('x'), p.size];"), json!([["1", "3"], [], 4]));
    expect(
        &mut sandbox,
        &with("return [p.has('a'), p.has('a', 3), p.has('a', '2'), p.has('b', undefined)];"),
        json!([true, true, false, true]),
    );
    expect(
        &mut sandbox,
        &with("p.set('a', 4); p.set('d', '\\ud800'); return p.toString();"),
        json!("a=4&b=2&c=&d=%EF%BF%BD"),
    );
    expect(&mut sandbox, &with("p.delete('a'); return `${p}`;"), json!("b=2&c="));
    expect(
        &mut sandbox,
        &with("p.delete('a', 3); p.delete('b', undefined); p.delete('c', 'x'); return `${p}`;"),
        json!("a=1&c="),
    );
    expect(&mut sandbox, &with("p.append(null, undefined); return [...p].at(-1);"), json!(["null", "undefined"]));
    expect(
        &mut sandbox,
        &with("return [[...p.keys()], [...p.values()], [...p.entries()][1]];"),
        json!([["a", "b", "a", "c"], ["1", "2", "3", ""], ["b", "2"]]),
    );
    expect(
        &mut sandbox,
        &with(
            "const seen = []; p.forEach(function (value, name, all) { seen.push(name + value + (all === p) + this); }, '!'); return seen;",
        ),
        json!(["a1true!", "b2true!", "a3true!", "ctrue!"]),
    );
    expect(
        &mut sandbox,
        &with("try { p.forEach(1); } catch (e) { return [e.name, e.code]; }"),
        json!(["TypeError", "ERR_INVALID_ARG_TYPE"]),
    );
}

#[test]
fn sorting_goes_by_code_units_and_keeps_the_order_of_equal_names() {
    let mut sandbox = evaluator();
    let sorted = "(() => { const p = new URLSearchParams('z=1&\u{ff61}=2&\u{1f980}=3&a=9&z=0&=x&a=8&A=7'); p.sort(); return [...p].map(([n, v]) => n + v); })()";
    expect(&mut sandbox, sorted, json!(["x", "A7", "a9", "a8", "z1", "z0", "\u{1f980}3", "\u{ff61}2"]));
}

#[test]
fn iterating_over_parameters_sees_what_changes_meanwhile() {
    let mut sandbox = evaluator();
    let with = |body: &str| {
        format!("(() => {{ const p = new URLSearchParams('a=1&b=2&c=3'); const seen = []; {body} return seen; }})()")
    };
    expect(&mut sandbox, &with("for (const [name] of p) { seen.push(name); p.delete('a'); }"), json!(["a", "c"]));
    expect(
        &mut sandbox,
        &with("for (const name of p.keys()) { seen.push(name); if (p.size < 5) p.append('d', ''); }"),
        json!(["a", "b", "c", "d", "d"]),
    );
    expect(
        &mut sandbox,
        &with("p.forEach((value) => { seen.push(value); if (value === '1') p.delete('b'); });"),
        json!(["1", "3"]),
    );
    expect(
        &mut sandbox,
        "(() => { const i = new URLSearchParams('a=b').values(); return [i[Symbol.iterator]() === i, i.next(), i.next(), `${i}`]; })()",
        json!([true, { "value": "b", "done": false }, { "done": true }, "[object URLSearchParams Iterator]"]),
    );
}

#[test]
fn the_module_can_be_imported_under_both_names() {
    let source = "import url from 'node:url'; import { URL as A, URLSearchParams as B } from 'url'; import { URL as C } from 'node:url';
        function handler() { return A === URL && B === URLSearchParams && C === A && url.URL === A && url.URLSearchParams === B; }";
    assert_eq!(call(&mut loaded(source), "0").expect("a result"), true);
}

#[test]
fn a_guest_that_changes_prototypes_hurts_only_itself() {
    let source = "function handler(damage) {
        eval(damage);
        const results = [];
        for (const f of [() => new URL('a?b', 'http://h').href, () => { const u = new URL('http://h'); u.search = '\\ud800'; return u.href; },
            () => new URLSearchParams('a=b&c').toString()]) {
            try { results[results.length] = f(); } catch (e) { results[results.length] = 'thrown'; }
        }
        return results.length;
    }";
    for damage in [
        "Function.prototype.call = () => '\\ud800';",
        "Function.prototype.call = () => ({ toString() { throw 1; } });",
        "String.prototype.toWellFormed = () => 5;",
        "Array.prototype[Symbol.iterator] = undefined;",
        "Array.prototype.map = () => [Symbol()];",
        "for (const name of [0, 1]) Object.defineProperty(Array.prototype, name, { set() { throw 1; } });",
        "Object.defineProperty(Object.prototype, 'href', { set() { throw 1; } });",
        "delete globalThis.URL.prototype.href; Map = Set = TypeError = Object = Reflect = undefined;",
    ] {
        let mut sandbox = loaded(source);
        let result = call(&mut sandbox, &json!(damage).to_string());
        assert!(matches!(result, Ok(_) | Err(Error::Guest { .. })), "{damage}: {result:?}");
        assert!(!sandbox.poisoned(), "{damage}");
    }
}

#[test]
fn a_url_that_is_too_much_for_the_heap_makes_the_guest_throw_and_no_more() {
    for heap in [1 << 20, 16 << 20] {
        let source = "function handler([prefix, unit, size]) {
            const text = prefix + unit.repeat(size / unit.length);
            const results = [];
            for (const f of [() => new URL(text), () => new URL(text, 'http://h'), () => { new URL('http://h').pathname = text; },
                () => { new URL('x:').host = text; }, () => new URLSearchParams(text), () => `${new URLSearchParams({ text })}`]) {
                try { f(); results.push('ok'); } catch (e) { results.push(e.message); }
            }
            return results;
        }";
        let mut sandbox = load(SandboxBuilder::new().with_guest_heap_size(heap), source).expect("it loads");
        let snapshot = sandbox.snapshot().expect("a snapshot");
        for size in [1 << 10, 1 << 13, 1 << 16, 1 << 18, heap / 2, heap * 2] {
            for (prefix, unit) in [
                ("http://h/", " "),
                ("http://", "1."),
                ("http://", "ü"),
                ("http://", "\u{fdfa}"),
                ("", "blob:"),
                ("?", "a&"),
            ] {
                let event = json!([prefix, unit, size]).to_string();
                let result = guarded(&mut sandbox, |sandbox| call(sandbox, &event));
                assert!(matches!(result, Ok(_) | Err(Error::Guest { .. })), "{size} of {unit}: {result:?}");
                assert!(!sandbox.poisoned(), "{size} of {unit}");
            }
        }
        // QuickJS does not give back all of a concatenation that there was no memory for.
        sandbox.restore(snapshot).expect("restore");
        assert_eq!(
            call(&mut sandbox, r#"["http://h/?", "a=b&", 4096]"#).expect("usable"),
            json!(["ok", "ok", "ok", "ok", "ok", "ok"])
        );
    }
}
