//! Texts as JSON writes them (RFC 8259).

use std::fmt::{self, Display, Write};

/// A text in quotes, with all that JSON wants escaped.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                c if u32::from(c) < 0x20 => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped() {
        let out = Text("a\"b\\c\nd\u{1}\u{e9}\u{1f600}").to_string();
        assert_eq!(out, "\"a\\\"b\\\\c\\nd\\u0001\u{e9}\u{1f600}\"");
    }
}
