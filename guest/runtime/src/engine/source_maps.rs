//! Original places in what a call ends with, if the sources end with source maps.
//!
//! A map is read when something has gone wrong, and forgotten again. If it is not valid, or there is no memory for it, places stay
//! those of the source that ran.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use guest_abi::message::{Exception, Place, Reply};
use guest_source_maps::{inline_map, original};
use rquickjs::{Ctx, Object, Value};

use super::exception::{or_caught, with_text};
use super::module::{self, Frame};
use super::new_value::has_room;
use crate::global::Global;

/// Most places in one reply that are looked up. Each lookup reads the mappings up to it.
const LOOKUPS_MAX: usize = 100;
/// Most bytes of the name of an original source.
const NAME_SIZE_MAX: usize = 1 << 10;

/// Maps of handlers and of programs, in Base64, by their names. The sources of modules are kept anyway.
static KEPT: Global<BTreeMap<String, String>> = Global::new();

pub fn init() {
    KEPT.set(BTreeMap::new());
}

/// Keeps the map of a source that is not kept itself.
pub fn keep(name: &str, source: &str) {
    KEPT.with(|kept| match inline_map(source) {
        Some(map) => kept.insert(name.to_string(), map.to_string()),
        None => kept.remove(name),
    });
}

/// Puts original places into what a call ends with.
pub fn translate(ctx: &Ctx<'_>, mut reply: Reply) -> Reply {
    match &mut reply {
        Reply::Exception(exception) => Maps::new(ctx).translate(exception),
        Reply::Compile(exception, place) => {
            let mut maps = Maps::new(ctx);
            maps.translate(exception);
            if let Some(original) = maps.original(place) {
                *place = original;
            }
        }
        _ => {}
    }
    reply
}

struct Maps<'a, 'js> {
    ctx: &'a Ctx<'js>,
    /// Those that have been read, by names of sources.
    read: Vec<(String, Option<Map<'js>>)>,
    lookups: usize,
}

struct Map<'js> {
    mappings: Vec<u8>,
    sources: Object<'js>,
    root: String,
}

impl<'a, 'js> Maps<'a, 'js> {
    fn new(ctx: &'a Ctx<'js>) -> Self {
        Self { ctx, read: Vec::new(), lookups: 0 }
    }

    /// Translates the stack of an exception, and those of its causes and errors.
    fn translate(&mut self, exception: &mut Exception) {
        self.translate_stacks(exception);
        exception.fit();
    }

    fn translate_stacks(&mut self, exception: &mut Exception) {
        let mut stack = String::new();
        for line in exception.stack.split_inclusive('\n') {
            let frame = Frame::of(line);
            match frame.and_then(|frame| Some((self.original(&frame.place)?, frame))) {
                Some((Place { file, line, column }, Frame { before, after, .. })) => {
                    stack.push_str(&format!("{before}{file}:{line}:{column}{after}"));
                }
                None => stack.push_str(line),
            }
        }
        exception.stack = stack;
        let details = &mut *exception.details;
        for nested in details.cause.as_deref_mut().into_iter().chain(&mut details.errors) {
            self.translate_stacks(nested);
        }
    }

    fn original(&mut self, place: &Place) -> Option<Place> {
        if self.lookups == LOOKUPS_MAX {
            return None;
        }
        let at = self.read.iter().position(|(file, _)| *file == place.file).unwrap_or_else(|| {
            self.read.push((place.file.clone(), Map::read(self.ctx, &place.file)));
            self.read.len() - 1
        });
        let map = self.read[at].1.as_ref()?;
        self.lookups += 1;
        let found = original(&map.mappings, place.line, place.column)?;
        Some(Place { file: map.name_of(self.ctx, found.source)?, line: found.line, column: found.column })
    }
}

impl<'js> Map<'js> {
    /// The map of a source, if it has one.
    fn read(ctx: &Ctx<'js>, file: &str) -> Option<Self> {
        let json = KEPT.with(|kept| kept.get(file).and_then(|map| decode(map)));
        let json = json.or_else(|| module::with_source(file, |source| decode(inline_map(source)?))?)?;
        let map = or_caught(ctx, ctx.json_parse(json))?.into_object()?;
        let mappings: Value = or_caught(ctx, map.get("mappings"))?;
        let sources: Object = or_caught(ctx, map.get("sources"))?;
        let mappings = text(ctx, &mappings, usize::MAX)?;
        let root: Value = or_caught(ctx, map.get("sourceRoot"))?;
        let root = text(ctx, &root, NAME_SIZE_MAX).and_then(|root| String::from_utf8(root).ok());
        let root = root
            .filter(|root| !root.is_empty() && !root.contains(char::is_control))
            .map(|root| format!("{}/", root.trim_end_matches('/')));
        Some(Self { mappings, sources, root: root.unwrap_or_default() })
    }

    fn name_of(&self, ctx: &Ctx<'js>, source: usize) -> Option<String> {
        let source = u32::try_from(source).ok()?;
        let name: Value = or_caught(ctx, self.sources.get(source))?;
        let name = String::from_utf8(text(ctx, &name, NAME_SIZE_MAX)?).ok()?;
        // A stack has a line for each frame.
        if name.contains(char::is_control) {
            return None;
        }
        Some(format!("{}{name}", self.root))
    }
}

/// The bytes of a string that is not longer.
fn text(ctx: &Ctx<'_>, value: &Value<'_>, size_max: usize) -> Option<Vec<u8>> {
    if !value.is_string() {
        return None;
    }
    let copy = |text: &[u8]| (text.len() <= size_max && has_room(text.len())).then(|| text.to_vec());
    with_text(ctx, value, copy).or_else(|| {
        ctx.catch();
        None
    })?
}

fn decode(map: &str) -> Option<Vec<u8>> {
    if !has_room(map.len()) {
        return None;
    }
    BASE64_STANDARD.decode(map).ok()
}
