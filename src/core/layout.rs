//! Reads JSON whose layout is known: no space, and the fields in the order in which they are written.
//!
//! Every method returns nothing where the text is not as it should be; then it may be JSON all the same, and the
//! reader is of no use any more.

use memchr::memchr2;
use serde::Deserialize;

use crate::core::time::Time;
use crate::core::time::text::LENGTH;

/// A text that is read from front to back.
#[derive(Debug, Clone)]
pub struct Layout<'r> {
    rest: &'r str,
}

impl<'r> Layout<'r> {
    /// A reader of a text.
    pub fn new(text: &'r str) -> Layout<'r> {
        Layout { rest: text }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'r str {
        self.rest
    }

    /// Whether all has been read.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads what has to stand here.
    pub fn eat(&mut self, wanted: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    /// Passes by so many bytes that were looked at.
    pub fn pass(&mut self, bytes: usize) -> Option<()> {
        self.rest = self.rest.get(bytes..)?;
        Some(())
    }

    /// Reads what may stand here. True if it did.
    pub fn has(&mut self, wanted: &str) -> bool {
        self.eat(wanted).is_some()
    }

    /// Reads a text from behind its first quotation mark; only one that is written as it is.
    pub fn text(&mut self) -> Option<&'r str> {
        let end = memchr2(b'"', b'\\', self.rest.as_bytes())?;
        let text = self.rest.get(..end)?;
        let is_as_it_is = self.rest.as_bytes()[end] == b'"' && text.bytes().all(|byte| byte >= b' ');
        self.rest = self.rest.get(end + 1..)?;
        is_as_it_is.then_some(text)
    }

    /// Reads a text of so many bytes from behind its first quotation mark. Whoever reads it has to refuse what has
    /// an escape or a quotation mark in it.
    pub fn text_of(&mut self, length: usize) -> Option<&'r str> {
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest.strip_prefix('"')?;
        Some(text)
    }

    /// Reads an id from behind its quotation mark, with the one that knows how at the front of a text.
    pub fn id<T>(&mut self, at_front: impl FnOnce(&[u8]) -> Option<(T, usize)>) -> Option<T> {
        let (id, length) = at_front(self.rest.as_bytes())?;
        self.rest = self.rest.get(length..)?.strip_prefix('"')?;
        Some(id)
    }

    /// Reads a time from behind its first quotation mark.
    pub fn time(&mut self) -> Option<Time> {
        let mut ahead = self.clone();
        if let Some(time) = ahead.text_of(LENGTH).and_then(Time::parse_own) {
            *self = ahead;
            return Some(time);
        }
        self.text()?.parse().ok()
    }

    /// Reads a list of times.
    pub fn times(&mut self) -> Option<Vec<Time>> {
        self.list(|time| time.eat("\"").and_then(|()| time.time()))
    }

    /// Reads a list of what `each` reads.
    pub fn list<T>(&mut self, mut each: impl FnMut(&mut Layout<'r>) -> Option<T>) -> Option<Vec<T>> {
        self.eat("[")?;
        let mut all = Vec::new();
        if self.has("]") {
            return Some(all);
        }
        loop {
            all.push(each(self)?);
            if self.has("]") {
                return Some(all);
            }
            self.eat(",")?;
        }
    }

    /// Reads any value, as serde does.
    pub fn value<T: Deserialize<'r>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter();
        let value = values.next()?.ok()?;
        self.rest = self.rest.get(values.byte_offset()..)?;
        Some(value)
    }

    /// Reads a value that begins with `start`, which has been read already.
    pub fn value_from<T: for<'t> Deserialize<'t>>(&mut self, start: &str) -> Option<T> {
        let text = [start, self.rest].concat();
        let mut whole = Layout::new(&text);
        let value = whole.value()?;
        self.rest = self.rest.get(self.rest.len() - whole.rest.len()..)?;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_that_are_written_as_they_are() {
        let text = |rest| Layout::new(rest).text().map(str::to_owned);
        assert_eq!(text("anna\",1").as_deref(), Some("anna"));
        assert_eq!(text("\"").as_deref(), Some(""));
        for wrong in ["", "anna", "an\\u006ea\"", "an\\\"na\"", "an\nna\""] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lists_and_values_end_where_they_end() {
        let mut layout = Layout::new("[1,22,3]{\"a\":[4]},5");
        let numbers: Vec<u32> = layout.list(Layout::value).unwrap();
        assert_eq!(numbers, [1, 22, 3]);
        assert!(layout.has("{") && !layout.has("{"));
        let value: serde_json::Value = layout.value_from("{").unwrap();
        assert_eq!(value, serde_json::json!({ "a": [4] }));
        assert_eq!(layout.rest(), ",5");
        assert!(layout.eat(",5").is_some() && layout.is_at_end());
        for wrong in ["[", "[1", "[1,", "[1,]", "[,1]", "[1 ]", "1"] {
            assert_eq!(Layout::new(wrong).list(Layout::value::<u32>), None, "{wrong}");
        }
    }
}
