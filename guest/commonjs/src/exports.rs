//! The shapes of exports.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};

use crate::tokens::{Token, Tokens};

/// Most tokens of a shape, but for lists.
const SHAPE: usize = 8;
const DECLARING: [&str; 5] = ["class", "const", "function", "let", "var"];

/// What was read last.
struct Behind<'a> {
    tokens: [Token<'a>; SHAPE],
    next: usize,
}

impl<'a> Behind<'a> {
    /// A token that is so many behind the next one.
    fn at(&self, distance: usize) -> Token<'a> {
        self.tokens[(self.next + SHAPE - distance) % SHAPE]
    }

    fn push(&mut self, token: Token<'a>) {
        self.tokens[self.next] = token;
        self.next = (self.next + 1) % SHAPE;
    }

    /// Whether what is so far behind is `exports` or the last word of `module.exports`.
    fn is_exports(&self, distance: usize) -> bool {
        if self.at(distance) != Token::Word("exports") {
            return false;
        }
        self.at(distance + 1) != Token::Mark(b'.') || self.is_module(distance + 2)
    }

    fn is_module(&self, distance: usize) -> bool {
        self.at(distance) == Token::Word("module") && self.at(distance + 1) != Token::Mark(b'.')
    }

    /// The name in `exports.NAME` or `exports['NAME']`, if that is what was read last.
    fn member(&self) -> Option<&'a str> {
        match (self.at(2), self.at(1)) {
            (Token::Mark(b'.'), Token::Word(name)) if self.is_exports(3) => Some(name),
            (Token::Text(name), Token::Mark(b']')) if self.at(3) == Token::Mark(b'[') && self.is_exports(4) => {
                Some(name)
            }
            _ => None,
        }
    }

    /// Whether `Object.defineProperty(exports,` was read last.
    fn defines_property(&self) -> bool {
        let is_call =
            |distance| self.at(distance) == Token::Mark(b'(') && self.at(distance + 1) == Token::Word("defineProperty");
        self.at(1) == Token::Mark(b',') && self.is_exports(2) && (is_call(3) || is_call(5))
    }
}

/// A list of names in braces that becomes `module.exports`, and how far it was read.
enum List<'a> {
    None,
    /// The next token is a key.
    Key {
        depth: usize,
    },
    /// It tells whether the key was one.
    Behind {
        depth: usize,
        key: &'a str,
    },
    /// It is the value of a key.
    Value {
        depth: usize,
    },
    /// A value goes on until the next comma.
    Within {
        depth: usize,
    },
}

/// Names that a source exports, if it is CommonJS.
pub fn of(source: &str) -> Option<BTreeSet<String>> {
    let mut tokens = Tokens::of(source);
    let mut behind = Behind { tokens: [Token::Operator; SHAPE], next: 0 };
    let (mut names, mut is_commonjs, mut list) = (BTreeSet::new(), false, List::None);
    let mut add = |name: &str| {
        // What has a character that is written in another way does not matter enough to be decoded.
        if !matches!(name, "" | "default") && !name.contains(['\\', '\0']) && !names.contains(name) {
            names.insert(name.to_string());
        }
    };
    while let Some(token) = tokens.next() {
        let is_member = behind.at(1) == Token::Mark(b'.');
        match token {
            Token::Word("import")
                if tokens.depth() == 0 && !is_member && !matches!(tokens.following(), b'(' | b'.') =>
            {
                return None;
            }
            Token::Word("export") if tokens.depth() == 0 && !is_member => return None,
            Token::Word("exports") => {
                if tokens.depth() == 0 && matches!(behind.at(1), Token::Word(word) if DECLARING.contains(&word)) {
                    return None;
                }
                let is_own = if is_member { behind.is_module(2) } else { tokens.following() != b':' };
                is_commonjs |= is_own;
            }
            Token::Text("exports") if behind.at(1) == Token::Mark(b'[') && behind.is_module(2) => is_commonjs = true,
            Token::Text(name) if behind.defines_property() => add(name),
            Token::Assign => behind.member().into_iter().for_each(&mut add),
            _ => {}
        }
        list = match list {
            List::None if token == Token::Mark(b'{') && behind.at(1) == Token::Assign && behind.is_exports(2) => {
                List::Key { depth: tokens.depth() }
            }
            List::None => List::None,
            List::Key { depth } => match token {
                Token::Word(key) | Token::Text(key) => List::Behind { depth, key },
                // A list may spread another.
                Token::Operator | Token::Literal => List::Within { depth },
                _ if tokens.depth() > depth => List::Within { depth },
                _ => List::None,
            },
            List::Behind { depth, key } => match token {
                Token::Mark(b',') => {
                    add(key);
                    List::Key { depth }
                }
                Token::Mark(b':') => {
                    add(key);
                    List::Value { depth }
                }
                Token::Mark(b'}') => {
                    add(key);
                    List::None
                }
                Token::Mark(b'(') => {
                    add(key);
                    List::Within { depth }
                }
                // `get a() {}`
                Token::Word(key) | Token::Text(key) => List::Behind { depth, key },
                _ => List::Within { depth },
            },
            List::Value { depth } | List::Within { depth } => match token {
                Token::Mark(b',') if tokens.depth() == depth => List::Key { depth },
                _ if tokens.depth() < depth => List::None,
                _ => List::Within { depth },
            },
        };
        behind.push(token);
    }
    is_commonjs.then_some(names)
}
