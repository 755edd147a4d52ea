//! How much of the stack and of memory a source may take.
//!
//! The parser descends as deep as the source is nested and takes memory as it goes. Where there is no more of either, it ends the
//! program, and it cannot be told to stop. But for each token it looks into a table of functions that read one: the table that it
//! has here looks first whether there is room, and if not gives a function that reads every character as one that no source may
//! contain. At that the parser gives up. What walks the tree afterwards asks the same.
//!
//! Between two tokens, and between two nodes of the tree, no more is taken than
//! - [`STACK_RESERVE`] of the stack;
//! - of the arena of the tree: by the parser as much as it has in use already, when a list in it grows to twice its size, and a
//!   copy of a part of the source; afterwards no more than is said;
//! - of the heap, for the list of mistakes, six times of what has been taken of that already: it grows to twice its size, and
//!   each mistake becomes a larger message in the end.

use std::cell::Cell;
use std::mem::{offset_of, transmute};
use std::ops::Index;

use oxc_allocator::{Allocator, ArenaVec};
use oxc_parser::Kind;
use oxc_parser::config::{LexerConfig, NoTokensLexerConfig, ParserConfig};
use oxc_parser::lexer::Lexer;

/// Stack that the parser takes from one token to the next, and a walk of the tree from one node to the next, with much to spare.
pub const STACK_RESERVE: usize = if cfg!(debug_assertions) { 192 << 10 } else { 48 << 10 };
/// Memory for a source of any size, in bytes.
const MEMORY_BASE: usize = 64 << 10;
/// What the arena gets for each byte of a source. The tree of an ordinary source takes 20 to 30, and all must fit twice.
const ARENA_PER_BYTE: usize = 64;
/// The same when that was not enough: the tree of `a.b.c` takes 40, that of `1+1+1` 50. Not from the start, because the
/// allocator would give up keeping to the part of the heap that is ready after a restore.
const LARGE_ARENA_PER_BYTE: usize = 240;
/// The least that is worth a try.
const ARENA_PER_BYTE_MIN: usize = 6;
/// What is left outside the arena for each byte of a source: lists of the parser, and the result.
const OUTSIDE_PER_BYTE: usize = 8;

/// What a compilation may take.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Lowest address of the stack that it may use.
    pub stack_end: usize,
    /// How many bytes of the heap are free.
    pub free_memory: fn() -> usize,
}

/// What there was not enough of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Stack,
    Memory,
}

impl Lack {
    pub fn message(self) -> &'static str {
        match self {
            Self::Stack => "the source is nested too deeply",
            Self::Memory => "there is not enough memory to compile the source",
        }
    }
}

/// Bounds of the compilation that is going on.
#[derive(Clone, Copy)]
struct Bounds {
    limits: Limits,
    arena: *const Allocator,
    /// Most bytes of the arena that may be in use: while the source is parsed, and afterwards.
    arena_use_max: usize,
    arena_size: usize,
    /// What was free outside the arena when it began.
    free_at_start: usize,
    /// What must stay free for other things than the list of mistakes.
    reserve: usize,
}

thread_local! {
    static BOUNDS: Cell<Option<Bounds>> = const { Cell::new(None) };
    static LACK: Cell<Option<Lack>> = const { Cell::new(None) };
}

/// Does a compilation of a source, with an arena for its tree. If that is too small, it is done again with a large one.
///
/// # Errors
/// There is no memory for one.
pub fn with_room<T>(limits: Limits, source: &str, compile: impl Fn(&Allocator) -> T) -> Result<T, Lack> {
    let result = with_arena(limits, source, ARENA_PER_BYTE, &compile)?;
    if LACK.get() != Some(Lack::Memory) {
        return Ok(result);
    }
    drop(result);
    with_arena(limits, source, LARGE_ARENA_PER_BYTE, &compile)
}

fn with_arena<T>(limits: Limits, source: &str, per_byte: usize, compile: impl Fn(&Allocator) -> T) -> Result<T, Lack> {
    let reserve = MEMORY_BASE + OUTSIDE_PER_BYTE * source.len();
    let least = MEMORY_BASE + ARENA_PER_BYTE_MIN * source.len();
    let mut size = MEMORY_BASE + per_byte * source.len();
    // The arena itself would end the program.
    while (limits.free_memory)() < size.saturating_add(reserve)
        || Vec::<u8>::new().try_reserve_exact(size + reserve).is_err()
    {
        size -= size / 4;
        if size < least {
            return Err(Lack::Memory);
        }
    }
    let arena = Allocator::with_capacity(size);
    let arena_use_max = size.saturating_sub(source.len()) / 2;
    let free_at_start = (limits.free_memory)();
    let bounds = Bounds { limits, arena: &raw const arena, arena_use_max, arena_size: size, free_at_start, reserve };
    LACK.set(None);
    BOUNDS.set(Some(bounds));
    let result = compile(&arena);
    BOUNDS.set(None);
    Ok(result)
}

/// Says that the source has been parsed.
pub fn parsed() {
    BOUNDS.set(BOUNDS.get().map(|bounds| Bounds { arena_use_max: bounds.arena_size - MEMORY_BASE / 2, ..bounds }));
}

/// Adds to a list in the arena if there is room.
pub fn push<T>(list: &mut ArenaVec<'_, T>, value: T) {
    let growth = if list.len() == list.capacity() { 2 * list.capacity().max(4) * size_of::<T>() } else { 0 };
    if is_left_for(growth) {
        list.push(value);
    }
}

/// What there was not enough of in this compilation.
pub fn lack() -> Option<Lack> {
    LACK.get()
}

/// Says that there is not enough memory.
pub fn note_lack_of_memory() {
    LACK.set(Some(Lack::Memory));
}

/// Whether there is room for more. If there was none once, there is none until the compilation ends.
pub fn is_left() -> bool {
    is_left_for(0)
}

/// The same for a text of this length in the arena.
pub fn is_left_for(length: usize) -> bool {
    if LACK.get().is_some() {
        return false;
    }
    let Some(bounds) = BOUNDS.get() else { return true };
    let here = 0_u8;
    if (&raw const here as usize) < bounds.limits.stack_end.saturating_add(STACK_RESERVE) {
        LACK.set(Some(Lack::Stack));
        return false;
    }
    // SAFETY: `with_room` has the arena as long as there are bounds.
    let used = unsafe { &*bounds.arena }.used_bytes();
    let free = (bounds.limits.free_memory)();
    let taken = bounds.free_at_start.saturating_sub(free);
    if used.saturating_add(length) > bounds.arena_use_max || free < bounds.reserve / 2 + 6 * taken {
        LACK.set(Some(Lack::Memory));
        return false;
    }
    true
}

/// Makes the parser look for room.
#[derive(Clone, Copy, Default)]
pub struct Bounded;

/// A function that reads a token.
type Handler<C> = unsafe fn(&mut Lexer<'_, C>) -> Kind;

/// The functions by the first byte of a token.
pub struct Handlers;

static BOUNDED_HANDLERS: Handlers = Handlers;
static PLAIN: NoTokensLexerConfig = NoTokensLexerConfig;

// The functions of the parser's own configuration are used for ours.
const _: () = assert!(
    size_of::<Bounded>() == 0
        && size_of::<NoTokensLexerConfig>() == 0
        && size_of::<Lexer<'static, Bounded>>() == size_of::<Lexer<'static, NoTokensLexerConfig>>()
        && offset_of!(Lexer<'static, Bounded>, escaped_strings)
            == offset_of!(Lexer<'static, NoTokensLexerConfig>, escaped_strings)
        && offset_of!(Lexer<'static, Bounded>, escaped_templates)
            == offset_of!(Lexer<'static, NoTokensLexerConfig>, escaped_templates),
    "lexers of the two configurations must have one layout: without that, the parser needs a table of its own for ours"
);

impl Index<usize> for Handlers {
    type Output = Handler<Bounded>;

    fn index(&self, byte: usize) -> &Handler<Bounded> {
        let plain: &'static [Handler<NoTokensLexerConfig>; 256] = PLAIN.byte_handlers();
        // SAFETY: the functions differ in the type of the lexer only, and that in a field without a size: the assertion above has
        // looked at the layout.
        let handlers: &'static [Handler<Bounded>; 256] = unsafe { transmute(plain) };
        // That of NUL takes any character of ASCII. Without these no source is nested.
        let byte = if byte < 128 && !is_left() { 0 } else { byte };
        &handlers[byte]
    }
}

impl LexerConfig for Bounded {
    type ByteHandlers = Handlers;

    const TOKENS_METHOD_IS_STATIC: bool = true;

    fn tokens(&self) -> bool {
        false
    }

    fn byte_handlers(&self) -> &Handlers {
        &BOUNDED_HANDLERS
    }
}

impl ParserConfig for Bounded {
    type LexerConfig = Self;

    fn lexer_config(&self) -> Self {
        Self
    }
}
