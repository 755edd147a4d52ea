//! URLs with the scheme `file`.
//!
//! The library takes slashes out of their paths and hosts out of those with a drive letter. So these are parsed here, as the
//! [URL Standard](https://url.spec.whatwg.org/#file-state) says; the library only parses their hosts.

use alloc::format;
use alloc::string::{String, ToString};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

const FRAGMENT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');
const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'^').add(b'`').add(b'{').add(b'}');

const SLASHES: [char; 2] = ['/', '\\'];

/// A URL with the scheme `file`.
#[derive(Clone, Default)]
pub struct FileUrl {
    pub host: String,
    /// A slash and a segment, any number of times.
    pub path: String,
    query: Option<String>,
    fragment: Option<String>,
}

impl FileUrl {
    /// The URL that a text without white space stands for, from behind its scheme on, or without one relative to a base.
    pub fn parse(text: &str, base: Option<&Self>) -> Option<Self> {
        let (text, fragment) = split(text, '#');
        let (text, query) = split(text, '?');
        let mut url = Self { query: query.map(encoded_query), ..Self::default() };
        if let Some(rest) = text.strip_prefix(SLASHES) {
            if let Some(authority) = rest.strip_prefix(SLASHES) {
                let end = authority.find(SLASHES).unwrap_or(authority.len());
                if is_drive_letter(&authority[..end]) {
                    url.push_path(authority);
                } else {
                    url.host = parsed_host(&authority[..end])?;
                    url.push_path(authority.get(end + 1..).unwrap_or_default());
                }
            } else {
                if let Some(base) = base {
                    url.host.clone_from(&base.host);
                    if !begins_with_drive_letter(rest)
                        && begins_with_drive_letter(base.path.get(1..).unwrap_or_default())
                    {
                        url.path.push_str(&base.path[..3]);
                    }
                }
                url.push_path(rest);
            }
        } else if let Some(base) = base {
            url.host.clone_from(&base.host);
            if text.is_empty() {
                url.path.clone_from(&base.path);
                url.query = url.query.or_else(|| base.query.clone());
            } else {
                if !begins_with_drive_letter(text) {
                    url.path.clone_from(&base.path);
                    url.pop_segment();
                }
                url.push_path(text);
            }
        } else {
            url.push_path(text);
        }
        url.fragment = fragment.map(encoded_fragment);
        Some(url)
    }

    /// Sets a part, if it can have this value, which has no white space that does not count. The scheme is no part here.
    pub fn set(&mut self, part: &str, value: &str) {
        match part {
            "host" | "hostname" => {
                let end = value.find(['/', '\\', '?', '#']).unwrap_or(value.len());
                if let Some(host) = parsed_host(&value[..end]) {
                    self.host = host;
                }
            }
            "pathname" => {
                self.path.clear();
                self.push_path(value.strip_prefix(SLASHES).unwrap_or(value));
            }
            "search" => {
                self.query = (!value.is_empty()).then(|| encoded_query(value.strip_prefix('?').unwrap_or(value)))
            }
            "hash" => {
                self.fragment = (!value.is_empty()).then(|| encoded_fragment(value.strip_prefix('#').unwrap_or(value)))
            }
            // It has no others.
            _ => {}
        }
    }

    pub fn href(&self) -> String {
        format!("file:{}", self.without_scheme())
    }

    /// All that follows the scheme and its colon.
    pub fn without_scheme(&self) -> String {
        let Self { host, path, query, fragment } = self;
        let mut text = format!("//{host}{path}");
        for (mark, part) in [('?', query), ('#', fragment)] {
            if let Some(part) = part {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }

    pub fn search(&self) -> String {
        marked('?', self.query.as_deref())
    }

    pub fn hash(&self) -> String {
        marked('#', self.fragment.as_deref())
    }

    /// Adds segments; those that are dots do what they mean.
    fn push_path(&mut self, segments: &str) {
        let mut rest = Some(segments);
        while let Some(text) = rest {
            let (segment, following) = match text.split_once(SLASHES) {
                Some((segment, following)) => (segment, Some(following)),
                None => (text, None),
            };
            let dots = dots(segment);
            if dots == 2 {
                self.pop_segment();
            }
            if dots == 0 {
                let is_drive = self.path.is_empty() && is_drive_letter(segment);
                self.path.push('/');
                if is_drive {
                    self.path.push_str(&segment[..1]);
                    self.path.push(':');
                } else {
                    self.path.extend(utf8_percent_encode(segment, PATH));
                }
            } else if following.is_none() {
                self.path.push('/');
            }
            rest = following;
        }
    }

    /// Removes the last segment, unless it is the only one and a drive letter.
    fn pop_segment(&mut self) {
        if let [b'/', letter, b':'] = self.path.as_bytes()
            && letter.is_ascii_alphabetic()
        {
            return;
        }
        self.path.truncate(self.path.rfind('/').unwrap_or_default());
    }
}

/// What stands ahead of a mark, and what behind it if there is one.
fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(ahead, behind)| (ahead, Some(behind)))
}

fn marked(mark: char, part: Option<&str>) -> String {
    part.filter(|part| !part.is_empty()).map(|part| format!("{mark}{part}")).unwrap_or_default()
}

fn encoded_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

fn encoded_fragment(text: &str) -> String {
    utf8_percent_encode(text, FRAGMENT).to_string()
}

fn parsed_host(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    // The library would take it for no host.
    if is_drive_letter(text) {
        return None;
    }
    let url = Url::parse(&format!("file://{text}/")).ok()?;
    Some(String::from(url.host_str().unwrap_or_default()))
}

fn is_drive_letter(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic())
}

fn begins_with_drive_letter(text: &str) -> bool {
    is_drive_letter(text.split(SLASHES).next().unwrap_or_default())
}

/// How many dots a segment means: one, two, or none if it is another segment.
fn dots(segment: &str) -> usize {
    let mut rest = segment.as_bytes();
    let mut count = 0;
    while !rest.is_empty() {
        rest = match rest {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return 0,
        };
        count += 1;
    }
    if count > 2 { 0 } else { count }
}
