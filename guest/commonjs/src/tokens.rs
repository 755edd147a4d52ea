//! The tokens of a source, as far as it takes them to tell code from strings, comments and regular expressions.
//!
//! Whether a `/` divides or begins a regular expression depends on what stands before it; behind a bracket it depends on what the
//! bracket belongs to, which is guessed from the token before it. A string or a regular expression that its line does not close
//! is none: reading goes on behind its first character. So any text has tokens, and the time is linear in its size.

use alloc::vec::Vec;

/// A piece of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A name or a keyword.
    Word(&'a str),
    /// What stands between the quotes of a string.
    Text(&'a str),
    /// `=`, and no other operator that begins or ends with it.
    Assign,
    /// A bracket, `.`, `,`, `:` or `;`. `?.` is a `.`.
    Mark(u8),
    /// Any other operator.
    Operator,
    /// A number, a template or a regular expression.
    Literal,
}

/// Keywords that end where an expression begins.
const BEFORE_EXPRESSION: [&str; 14] = [
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];
/// Keywords whose parentheses end where a statement begins.
const BEFORE_CONDITION: [&str; 4] = ["for", "if", "while", "with"];
/// Keywords whose block is one of statements.
const BEFORE_BLOCK: [&str; 4] = ["do", "else", "finally", "try"];

/// What a bracket that is open was opened as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// What it closes is a value.
    Value,
    /// Behind it there begins a statement.
    Statement,
    /// A template goes on behind it.
    Template,
}

/// Reads tokens.
pub struct Tokens<'a> {
    source: &'a str,
    at: usize,
    open: Vec<Open>,
    last: Option<Token<'a>>,
    /// Whether a regular expression can begin here.
    expects_value: bool,
    /// Up to here no regular expression, and no string, is closed in its line.
    unclosed: [usize; 3],
}

impl<'a> Tokens<'a> {
    pub fn of(source: &'a str) -> Self {
        Self { source, at: 0, open: Vec::new(), last: None, expects_value: true, unclosed: [0; 3] }
    }

    /// How many brackets are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next character that is no white space; 0 at the end.
    pub fn following(&self) -> u8 {
        let rest = &self.source.as_bytes()[self.at..];
        rest.iter().copied().find(|byte| !byte.is_ascii_whitespace()).unwrap_or(0)
    }

    fn byte(&self, offset: usize) -> u8 {
        self.source.as_bytes().get(self.at + offset).copied().unwrap_or(0)
    }

    fn skip_blank(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'/') => self.skip_to_line_end(),
                (b'#', b'!') if self.at == 0 => self.skip_to_line_end(),
                (b'/', b'*') => {
                    let rest = &self.source[self.at + 2..];
                    self.at = rest.find("*/").map_or(self.source.len(), |end| self.at + end + 4);
                }
                (byte, _) if byte.is_ascii_whitespace() => self.at += 1,
                _ => return,
            }
        }
    }

    fn skip_to_line_end(&mut self) {
        let rest = &self.source.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    }

    fn word(&mut self) -> Token<'a> {
        let rest = &self.source.as_bytes()[self.at..];
        let size = rest.iter().position(|byte| !is_of_word(*byte)).unwrap_or(rest.len());
        let start = self.at;
        self.at += size;
        // Bytes of a character of several are all of a word, so it is cut at characters.
        Token::Word(&self.source[start..self.at])
    }

    /// The end of what this quote begins, if its line has it. In a class of a regular expression its own end has no meaning.
    fn closed(&mut self, quote: u8, number: usize) -> Option<usize> {
        if self.at < self.unclosed[number] {
            return None;
        }
        let bytes = self.source.as_bytes();
        let (mut end, mut is_in_class) = (self.at + 1, false);
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'\\' => end += 1,
                b'\n' | b'\r' => break,
                b'[' if quote == b'/' => is_in_class = true,
                b']' if quote == b'/' => is_in_class = false,
                byte if *byte == quote && !is_in_class => return Some(end),
                _ => {}
            }
            end += 1;
        }
        self.unclosed[number] = end;
        None
    }

    /// Goes to the end of a template, or to where code begins in it: whether it is the end.
    fn template(&mut self) -> bool {
        let bytes = self.source.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 1,
                b'`' => {
                    self.at += 1;
                    return true;
                }
                b'$' if bytes.get(self.at + 1) == Some(&b'{') => {
                    self.at += 2;
                    return false;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at = bytes.len();
        true
    }

    fn template_token(&mut self) -> Token<'a> {
        if self.template() {
            self.expects_value = false;
            Token::Literal
        } else {
            self.open.push(Open::Template);
            self.expects_value = true;
            Token::Operator
        }
    }

    fn opened(&mut self, mark: u8) -> Token<'a> {
        let is_statement = match (mark, self.last) {
            (b'(', Some(Token::Word(word))) => BEFORE_CONDITION.contains(&word),
            (b'{', Some(Token::Word(word))) => BEFORE_BLOCK.contains(&word),
            (b'{', None | Some(Token::Mark(b')' | b';' | b'{' | b'}'))) => true,
            _ => false,
        };
        self.open.push(if is_statement { Open::Statement } else { Open::Value });
        self.at += 1;
        self.expects_value = true;
        Token::Mark(mark)
    }

    fn closing(&mut self, mark: u8) -> Token<'a> {
        self.at += 1;
        match self.open.pop() {
            Some(Open::Template) if mark == b'}' => return self.template_token(),
            opened => self.expects_value = opened == Some(Open::Statement),
        }
        Token::Mark(mark)
    }

    fn next_token(&mut self) -> Token<'a> {
        let byte = self.byte(0);
        match byte {
            b'"' | b'\'' => {
                let number = usize::from(byte == b'"');
                let Some(end) = self.closed(byte, number) else { return self.operator() };
                let text = &self.source[self.at + 1..end];
                self.at = end + 1;
                self.expects_value = false;
                Token::Text(text)
            }
            b'`' => {
                self.at += 1;
                self.template_token()
            }
            b'/' if self.expects_value => {
                let Some(end) = self.closed(b'/', 2) else { return self.operator() };
                self.at = end + 1;
                self.expects_value = false;
                // Its flags are of no interest.
                while is_of_word(self.byte(0)) {
                    self.at += 1;
                }
                Token::Literal
            }
            b'(' | b'[' | b'{' => self.opened(byte),
            b')' | b']' | b'}' => self.closing(byte),
            b'0'..=b'9' => {
                while is_of_word(self.byte(0)) || self.byte(0) == b'.' {
                    self.at += 1;
                }
                self.expects_value = false;
                Token::Literal
            }
            b'?' if self.byte(1) == b'.' && !self.byte(2).is_ascii_digit() => {
                self.at += 2;
                Token::Mark(b'.')
            }
            b'.' if self.byte(1) != b'.' => {
                self.at += 1;
                Token::Mark(b'.')
            }
            b',' | b':' | b';' => {
                self.at += 1;
                self.expects_value = true;
                Token::Mark(byte)
            }
            b'=' if !matches!(self.byte(1), b'=' | b'>') => {
                self.at += 1;
                self.expects_value = true;
                Token::Assign
            }
            _ if is_of_word(byte) => {
                let token = self.word();
                let is_member = self.last == Some(Token::Mark(b'.'));
                self.expects_value =
                    !is_member && matches!(token, Token::Word(word) if BEFORE_EXPRESSION.contains(&word));
                token
            }
            _ => self.operator(),
        }
    }

    /// An operator, with what follows of it if that would change its meaning.
    fn operator(&mut self) -> Token<'a> {
        let (first, second) = (self.byte(0), self.byte(1));
        self.at += 1;
        self.expects_value = true;
        match (first, second) {
            // Behind a value they end it; before one they leave it as it is.
            (b'+', b'+') | (b'-', b'-') => {
                self.at += 1;
                self.expects_value = !matches!(self.last, Some(Token::Word(_) | Token::Mark(b')' | b']')));
            }
            // Comparisons, `=>`, `>=` and the like: their last character assigns nothing.
            (b'=' | b'!' | b'<' | b'>', _) => {
                while matches!(self.byte(0), b'=' | b'>') {
                    self.at += 1;
                }
            }
            (_, b'=') if !matches!(first, b'"' | b'\'') => self.at += 1,
            _ => {}
        }
        Token::Operator
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blank();
        if self.at >= self.source.len() {
            return None;
        }
        let token = self.next_token();
        self.last = Some(token);
        Some(token)
    }
}

/// Whether it is of a name. Characters of several bytes are, white space among them: these stand in no shape that is looked for.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'\\' | 0x80..)
}
