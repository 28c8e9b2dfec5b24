//! A line of a scenario, word by word.

use std::collections::VecDeque;

use super::Fault;

/// Midnight before the scenario: 13 February 2013, UTC.
pub const MIDNIGHT: i64 = 1_360_713_600_000;
const DAY: i64 = 86_400_000;

/// One piece of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Token {
    Word(String),
    /// A JSON string literal without its quotes.
    Text(String),
    Comma,
    Arrow,
}

/// What is left of a line to be read, word by word.
pub struct Words {
    pub line: usize,
    pub tokens: VecDeque<Token>,
}

impl Words {
    pub fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault { line: self.line, message: message.into() })
    }

    /// The words of one line.
    pub fn new(line: usize, text: &str) -> Result<Words, Fault> {
        let mut words = Words { line, tokens: VecDeque::new() };
        words.tokens = words.split(text)?;
        Ok(words)
    }

    fn split(&self, text: &str) -> Result<VecDeque<Token>, Fault> {
        let mut tokens = VecDeque::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() && !rest.starts_with("//") {
            if let Some(behind) = rest.strip_prefix('"') {
                let Some(end) = end_of_text(behind) else {
                    return self.fault("a text without its closing \"");
                };
                let literal = &behind[..end];
                if let Err(error) = serde_json::from_str::<String>(&format!("\"{literal}\"")) {
                    return self.fault(format!("\"{literal}\" is no JSON string: {error}"));
                }
                tokens.push_back(Token::Text(literal.to_owned()));
                rest = &behind[end + 1..];
            } else if let Some(behind) = rest.strip_prefix(',') {
                tokens.push_back(Token::Comma);
                rest = behind;
            } else {
                let end =
                    rest.find(|c: char| c.is_whitespace() || c == ',' || c == '"').unwrap_or(rest.len());
                let word = &rest[..end];
                tokens.push_back(if word == "->" { Token::Arrow } else { Token::Word(word.to_owned()) });
                rest = &rest[end..];
            }
            rest = rest.trim_start();
        }
        Ok(tokens)
    }

    pub fn word(&mut self, what: &str) -> Result<String, Fault> {
        match self.tokens.pop_front() {
            Some(Token::Word(word)) => Ok(word),
            Some(other) => self.fault(format!("{what} is missing before {other:?}")),
            None => self.fault(format!("{what} is missing at the end of the line")),
        }
    }

    pub fn text(&mut self, of: &str) -> Result<String, Fault> {
        match self.tokens.pop_front() {
            Some(Token::Text(text)) => Ok(text),
            other => self.fault(format!("{of} needs a text in quotes, not {other:?}")),
        }
    }

    /// The next word, if it stands before the arrow and this or that takes it.
    pub fn take<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Option<T> {
        let Some(Token::Word(word)) = self.tokens.front() else { return None };
        let found = wanted(word)?;
        self.tokens.pop_front();
        Some(found)
    }

    pub fn takes(&mut self, word: &str) -> bool {
        self.take(|w| (w == word).then_some(())).is_some()
    }

    pub fn number(&mut self, of: &str) -> Result<u64, Fault> {
        let word = self.word(of)?;
        word.parse().or_else(|_| self.fault(format!("{of} needs a number, not {word}")))
    }

    pub fn time(&mut self, of: &str) -> Result<i64, Fault> {
        let word = self.word(of)?;
        time(&word)
            .map_or_else(|| self.fault(format!("{of} needs a time such as 12:00:00.000, not {word}")), Ok)
    }
}

/// The time of a word such as `12:00`, `12:00:00.000` or `-1d+12:00`, in milliseconds since the Unix epoch.
pub fn time(word: &str) -> Option<i64> {
    let (days, clock) = match word.split_once("d+") {
        Some((days, clock)) => (days.parse::<i64>().ok()?, clock),
        None => (0, word),
    };
    let (clock, millis) = clock.split_once('.').unwrap_or((clock, "000"));
    let parts: Vec<i64> = clock.split(':').map(two_digits).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [h, m] => (h, m, 0),
        [h, m, s] => (h, m, s),
        _ => return None,
    };
    if hours > 23 || minutes > 59 || seconds > 59 || millis.len() != 3 {
        return None;
    }
    let millis: i64 = millis.parse::<u16>().ok()?.into();
    Some(MIDNIGHT + days * DAY + ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

fn two_digits(text: &str) -> Option<i64> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A time as the tables and the events have it.
pub fn rfc3339(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis)
        .map_or_else(String::new, |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// The index of the quote that closes a text.
fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(index, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(index)
    })
}
