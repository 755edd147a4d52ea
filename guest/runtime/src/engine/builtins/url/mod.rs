//! URLs and form data, for the module `url`.

mod file_url;

use alloc::format;
use alloc::string::String;

use rquickjs::{Array, Ctx, Object, Result, Value};
use url::{Position, Url, form_urlencoded, quirks};

use self::file_url::FileUrl;
use crate::engine::exception;
use crate::engine::new_value::has_room;

/// Memory that the work on texts can take at most, as a multiple of their size. A host of many numbers takes the most.
const WORK_FACTOR: usize = 64;

/// The texts of values. It throws, as an allocation of JavaScript's does, if there is not enough memory left to work on them:
/// native code that runs out of memory ends the guest.
fn workable_texts<const N: usize>(ctx: &Ctx<'_>, values: [&Value<'_>; N]) -> Result<[String; N]> {
    let mut texts = [const { String::new() }; N];
    let mut size = 0_usize;
    for (text, value) in texts.iter_mut().zip(values) {
        let workable = exception::with_text(ctx, value, |bytes| {
            size = size.saturating_add(bytes.len());
            has_room(size.saturating_mul(WORK_FACTOR)).then(|| exception::lossy_text(bytes))
        });
        let workable = workable.ok_or(rquickjs::Error::Exception)?;
        *text = workable.ok_or_else(|| exception::throw_out_of_memory(ctx))?;
    }
    Ok(texts)
}

/// A URL: one of the library's, but for the scheme `file`.
enum Parsed {
    File(FileUrl),
    Other(Url),
}

/// The parts of a URL, as the properties of `URL` have them; `undefined` if it is not valid.
pub fn parse<'js>(ctx: Ctx<'js>, url: Value<'js>, base: Value<'js>) -> Result<Option<Object<'js>>> {
    let url = if base.is_undefined() {
        let [url] = workable_texts(&ctx, [&url])?;
        parsed(&url)
    } else {
        let [url, base] = workable_texts(&ctx, [&url, &base])?;
        resolved(&url, &base)
    };
    url.map(|url| parts(&ctx, &url)).transpose()
}

fn parsed(url: &str) -> Option<Parsed> {
    let url = without_spaces(url);
    match scheme_of(&url) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => FileUrl::parse(rest, None).map(Parsed::File),
        _ => encoded(Url::parse(&url).ok()?).map(Parsed::Other),
    }
}

/// The text without white space that does not count.
fn without_spaces(url: &str) -> String {
    without_breaks(url.trim_matches(|c| c <= ' '))
}

fn without_breaks(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect()
}

/// The scheme of a URL, and what follows its colon.
fn scheme_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some((scheme, rest))
}

/// Encodes what the standard has come to encode in a path and the library leaves as it is.
fn encoded(url: Url) -> Option<Url> {
    let (path, rest) = (url.path(), &url[Position::AfterPath..]);
    let path = match path.strip_suffix(' ') {
        Some(path) if url.cannot_be_a_base() && !rest.is_empty() => format!("{path}%20"),
        _ if !url.cannot_be_a_base() && path.contains('^') => path.replace('^', "%5E"),
        _ => return Some(url),
    };
    Url::parse(&format!("{}{path}{rest}", &url[..Position::BeforePath])).ok()
}

fn resolved(url: &str, base: &str) -> Option<Parsed> {
    let base = parsed(base)?;
    let mut url = without_spaces(url);
    let scheme = scheme_of(&url);
    match base {
        Parsed::File(base) => match scheme {
            None => FileUrl::parse(&url, Some(&base)).map(Parsed::File),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
                FileUrl::parse(rest, Some(&base)).map(Parsed::File)
            }
            Some(_) => parsed(&url),
        },
        Parsed::Other(_) if scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("file")) => parsed(&url),
        Parsed::Other(base) => {
            mend_reference(&base, &mut url);
            encoded(base.join(&url).ok()?).map(Parsed::Other)
        }
    }
}

/// Puts into another form what the library resolves otherwise than the standard has it.
fn mend_reference(base: &Url, url: &mut String) {
    match base.scheme() {
        // Any number of slashes is like two.
        "http" | "https" | "ws" | "wss" | "ftp" => {
            let rest = url.trim_start_matches(['/', '\\']);
            if url.len() - rest.len() > 2 {
                *url = format!("//{rest}");
            }
        }
        // A backslash is no slash.
        _ if url.starts_with('\\') => url.insert_str(0, "./"),
        _ if url.starts_with("/\\") => url.insert_str(0, "/."),
        _ => {}
    }
}

/// Sets one part of a URL, which must be valid, and gives all. A value that the part cannot have changes nothing.
pub fn set_part<'js>(ctx: Ctx<'js>, url: Value<'js>, name: String, value: Value<'js>) -> Result<Option<Object<'js>>> {
    let [url, value] = workable_texts(&ctx, [&url, &value])?;
    let url = parsed(&url).and_then(|url| match url {
        Parsed::File(url) => changed_file(url, &name, &without_breaks(&value)),
        Parsed::Other(url) => changed(url, &name, &value),
    });
    url.map(|url| parts(&ctx, &url)).transpose()
}

fn changed_file(mut url: FileUrl, name: &str, value: &str) -> Option<Parsed> {
    if name == "protocol" {
        let scheme = new_scheme(value);
        if is_special(&scheme) && scheme != "file" && !url.host.is_empty() {
            return parsed(&format!("{scheme}:{}", url.without_scheme()));
        }
    } else {
        url.set(name, value);
    }
    Some(Parsed::File(url))
}

/// The scheme that a value for `protocol` means.
fn new_scheme(value: &str) -> String {
    value.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

fn changed(mut url: Url, name: &str, value: &str) -> Option<Parsed> {
    let had_authority = url.has_authority();
    match name {
        // The library refuses it.
        "protocol" if is_special(url.scheme()) && new_scheme(&without_breaks(value)) == "file" => {
            let has_more = !url.username().is_empty() || url.password().is_some() || url.port().is_some();
            let file = || parsed(&format!("file{}", &url[Position::AfterScheme..]));
            return if has_more { Some(Parsed::Other(url)) } else { file() };
        }
        "protocol" => quirks::set_protocol(&mut url, value).ok()?,
        "username" => quirks::set_username(&mut url, value).ok()?,
        "password" => quirks::set_password(&mut url, value).ok()?,
        "host" => quirks::set_host(&mut url, value).ok()?,
        "hostname" => quirks::set_hostname(&mut url, value).ok()?,
        // The library takes nothing but white space for nothing at all, which would remove the port.
        "port" if !value.is_empty() && without_breaks(value).is_empty() => {}
        "port" => quirks::set_port(&mut url, value).ok()?,
        // It leaves a slash.
        "pathname" if without_breaks(value).is_empty() && had_authority && !is_special(url.scheme()) => {
            return parsed(&format!("{}{}", &url[..Position::BeforePath], &url[Position::AfterPath..]));
        }
        "pathname" => quirks::set_pathname(&mut url, value),
        "search" => quirks::set_search(&mut url, value),
        "hash" => quirks::set_hash(&mut url, value),
        _ => return None,
    }
    if had_authority || url.cannot_be_a_base() {
        return encoded(url).map(Parsed::Other);
    }
    // A path that begins with two slashes needs `/.` ahead of it while there is no host, and must not have it when there is
    // one. The library does not see to that.
    let path_and_rest = &url[Position::BeforePath..];
    let before_path = match name {
        "host" | "hostname" => String::from(&url[..Position::AfterPort]),
        _ if path_and_rest.starts_with("//") => format!("{}:/.", url.scheme()),
        _ => format!("{}:", url.scheme()),
    };
    parsed(&format!("{before_path}{path_and_rest}"))
}

fn is_special(scheme: &str) -> bool {
    matches!(scheme, "http" | "https" | "ws" | "wss" | "ftp" | "file")
}

fn parts<'js>(ctx: &Ctx<'js>, url: &Parsed) -> Result<Object<'js>> {
    let parts = Object::new(ctx.clone())?;
    match url {
        Parsed::File(url) => {
            parts.set("href", url.href())?;
            parts.set("origin", "null")?;
            parts.set("protocol", "file:")?;
            for name in ["username", "password", "port"] {
                parts.set(name, "")?;
            }
            parts.set("host", &*url.host)?;
            parts.set("hostname", &*url.host)?;
            parts.set("pathname", &*url.path)?;
            parts.set("search", url.search())?;
            parts.set("hash", url.hash())?;
        }
        Parsed::Other(url) => {
            parts.set("href", quirks::href(url))?;
            parts.set("origin", origin(url))?;
            parts.set("protocol", quirks::protocol(url))?;
            parts.set("username", quirks::username(url))?;
            parts.set("password", quirks::password(url))?;
            parts.set("host", quirks::host(url))?;
            parts.set("hostname", quirks::hostname(url))?;
            parts.set("port", quirks::port(url))?;
            parts.set("pathname", quirks::pathname(url))?;
            parts.set("search", quirks::search(url))?;
            parts.set("hash", quirks::hash(url))?;
        }
    }
    Ok(parts)
}

/// The library's own would go down into `blob:blob:blob:` until the stack is used up.
fn origin(url: &Url) -> String {
    match url.scheme() {
        "blob" => match Url::parse(url.path()) {
            Ok(inner) if matches!(inner.scheme(), "http" | "https") => quirks::origin(&inner),
            _ => String::from("null"),
        },
        _ => quirks::origin(url),
    }
}

/// The pairs of names and values in form data.
pub fn parse_form<'js>(ctx: Ctx<'js>, text: Value<'js>) -> Result<Array<'js>> {
    let [text] = workable_texts(&ctx, [&text])?;
    let pairs = Array::new(ctx.clone())?;
    for (i, (name, value)) in form_urlencoded::parse(text.as_bytes()).enumerate() {
        let pair = Array::new(ctx.clone())?;
        pair.set(0, &*name)?;
        pair.set(1, &*value)?;
        pairs.set(i, pair)?;
    }
    Ok(pairs)
}

/// A name or a value as it stands in form data.
pub fn encode_form<'js>(ctx: Ctx<'js>, text: Value<'js>) -> Result<String> {
    let [text] = workable_texts(&ctx, [&text])?;
    Ok(form_urlencoded::byte_serialize(text.as_bytes()).collect())
}
