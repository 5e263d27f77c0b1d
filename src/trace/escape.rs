//! Text that may hold anything, where markup or a program's text stands around it.

use std::fmt::{self, Write as _};

use crate::base::json::Text;

/// Shows a text as the content, or as a quoted attribute, of XML and HTML. What XML cannot hold becomes U+FFFD.
pub(super) struct Xml<'a>(pub(super) &'a str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(' ')?,
                '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                control if control.is_control() => f.write_char('\u{fffd}')?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Shows a text as a string of JSON, in quotes; also where that JSON stands in a script of a page: nothing in it can end the script.
pub(super) struct Json<'a>(pub(super) &'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in Text(self.0).to_string().chars() {
            match char {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write_escape(f, char)?,
                control if control.is_control() => write_escape(f, control)?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// All that need it are in the basic plane.
fn write_escape(f: &mut fmt::Formatter<'_>, char: char) -> fmt::Result {
    write!(f, "\\u{:04x}", u32::from(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        let shown = Xml("<a href=\"x\">'&'\u{0}\n</a>").to_string();
        assert_eq!(
            shown,
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\u{fffd} &lt;/a&gt;"
        );
    }

    #[test]
    fn a_string_cannot_end_its_script() {
        let shown = Json("</script>\"\\\n\u{2028}é").to_string();
        assert_eq!(shown, "\"\\u003c/script\\u003e\\\"\\\\\\n\\u2028é\"");
    }
}
