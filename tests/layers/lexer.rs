//! Rust source as tokens with their lines: enough to tell code from comments and strings, and no more.
//!
//! Not a parser: a number like `1.5` comes out as three tokens, which nobody here minds.

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word: a keyword, a name, a number.
    Word(String),

    /// One character of punctuation; `::` is two of them.
    Mark(char),

    /// A string, byte string or character, whatever it says; a lifetime too.
    Opaque,
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,

    /// The line on which it begins, from 1.
    pub(crate) line: usize,

    /// The line on which it ends.
    pub(crate) last_line: usize,
}

impl Token {
    /// Whether this is the word `text`.
    pub(crate) fn is_word(&self, text: &str) -> bool {
        self.word() == Some(text)
    }

    /// Whether this is the punctuation `mark`.
    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// The word, if it is one.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(text) => Some(text),
            _ => None,
        }
    }
}

/// Cuts `source` into tokens; comments and white space leave none.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader {
        rest: source,
        line: 1,
    };
    let mut out = Vec::new();
    while !reader.rest.is_empty() {
        let line = reader.line;
        if let Some(kind) = reader.next_token() {
            let last_line = reader.line;
            out.push(Token {
                kind,
                line,
                last_line,
            });
        }
    }
    out
}

/// Where the cutting stands.
struct Reader<'a> {
    /// What is not read yet.
    rest: &'a str,

    /// The line of its first character, from 1.
    line: usize,
}

impl Reader<'_> {
    /// Reads one token, comment or stretch of white space; only a token gives a `Kind`.
    fn next_token(&mut self) -> Option<Kind> {
        let first = self.rest.chars().next()?;
        if first.is_whitespace() {
            self.take(first.len_utf8());
            return None;
        }
        if self.skip_comment() {
            return None;
        }
        if let Some(length) = self.raw_string().or_else(|| self.quoted()) {
            self.take(length);
            return Some(Kind::Opaque);
        }
        if is_word_part(first) {
            return Some(Kind::Word(self.take_word()));
        }
        self.take(first.len_utf8());
        Some(Kind::Mark(first))
    }

    /// Moves past `length` bytes, counting lines.
    fn take(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
    }

    fn take_word(&mut self) -> String {
        let raw = self.rest.strip_prefix("r#").unwrap_or(self.rest);
        let prefix = self.rest.len() - raw.len();
        let length = raw.find(|c| !is_word_part(c)).unwrap_or(raw.len());
        let word = raw[..length].to_owned();
        self.take(prefix + length);
        word
    }

    fn skip_comment(&mut self) -> bool {
        if self.rest.starts_with("//") {
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            return true;
        }
        if self.rest.starts_with("/*") {
            self.take(block_comment_length(self.rest));
            return true;
        }
        false
    }

    /// The length of the raw string that begins here.
    fn raw_string(&self) -> Option<usize> {
        let text = self.rest;
        let after = ["br", "cr", "r"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))?;
        let hashes = after.len() - after.trim_start_matches('#').len();
        after[hashes..].strip_prefix('"')?;
        let opening = text.len() - after.len() + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let body = text[opening..]
            .find(&end)
            .map_or(text.len(), |at| opening + at + end.len());
        Some(body)
    }

    /// The length of the string, character or lifetime that begins here.
    fn quoted(&self) -> Option<usize> {
        let text = self.rest;
        let at = usize::from(text.starts_with(['b', 'c']));
        match text[at..].chars().next()? {
            '"' => Some(at + closed_by(&text[at..], '"')),
            '\'' if at == 0 && is_lifetime(text) => {
                let name = &text[1..];
                Some(1 + name.find(|c| !is_word_part(c)).unwrap_or(name.len()))
            }
            '\'' => Some(at + closed_by(&text[at..], '\'')),
            _ => None,
        }
    }
}

fn is_word_part(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether the quote at the head of `text` begins a lifetime and not a character.
fn is_lifetime(text: &str) -> bool {
    let mut following = text.chars().skip(1);
    let first = following.next();
    first.is_some_and(is_word_part) && following.next() != Some('\'')
}

/// The length of what begins at the head of `text` with `quote` and ends with the next one that no backslash hides.
fn closed_by(text: &str, quote: char) -> usize {
    let mut hidden = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !hidden {
            return at + c.len_utf8();
        }
        hidden = c == '\\' && !hidden;
    }
    text.len()
}

/// The length of the block comment at the head of `text`; they nest.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        match (rest.starts_with("/*"), rest.starts_with("*/")) {
            (true, _) => depth += 1,
            (_, true) => depth -= 1,
            _ => {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The tokens without the items that only tests see: whatever stands behind a `#[cfg(test)]` or `#[cfg(doctest)]`.
pub(crate) fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        match test_attribute_end(&tokens[at..]) {
            Some(length) => at += length + item_length(&tokens[at + length..]),
            None => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    kept
}

/// The names in `mod name;` behind a `#[cfg(test)]`: files that only tests see.
pub(crate) fn test_modules(tokens: &[Token]) -> Vec<String> {
    let mut names = Vec::new();
    for at in 0..tokens.len() {
        if let Some(length) = test_attribute_end(&tokens[at..]) {
            let item = &tokens[at + length..];
            let item = &item[..item_length(item)];
            if let [.., word, name, end] = item
                && word.is_word("mod")
                && end.is_mark(';')
            {
                names.extend(name.word().map(str::to_owned));
            }
        }
    }
    names
}

/// The length of the attribute at the head, if it keeps an item to tests.
fn test_attribute_end(tokens: &[Token]) -> Option<usize> {
    let opens = tokens.first()?.is_mark('#') && tokens.get(1)?.is_mark('[');
    if !opens || !tokens.get(2)?.is_word("cfg") {
        return None;
    }
    let length = 1 + group_length(&tokens[1..]);
    let inside = &tokens[3..length];
    let has = |word: &str| inside.iter().any(|token| token.is_word(word));
    ((has("test") || has("doctest")) && !has("not") && !has("any")).then_some(length)
}

/// The length of the item at the head, with the attributes before it: up to its `;` or through its block.
fn item_length(tokens: &[Token]) -> usize {
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if token.is_mark(';') {
            return at + 1;
        }
        if token.is_mark('{') {
            let end = at + group_length(&tokens[at..]);
            let goes_on = tokens.get(end).is_some_and(|next| next.is_mark(';'));
            return end + usize::from(goes_on);
        }
        let opens = token.is_mark('(') || token.is_mark('[');
        at += if opens {
            group_length(&tokens[at..])
        } else {
            1
        };
    }
    at
}

/// The length of the bracketed group at the head, brackets included.
pub(crate) fn group_length(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}
