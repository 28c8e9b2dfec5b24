//! JSON, before and after it is spelled.

use crate::random::Random;

/// Characters of a text, and surrogates that stand alone.
pub type Text = Vec<u32>;

pub fn text(text: &str) -> Text {
    text.chars().map(u32::from).collect()
}

pub enum Json {
    Text(Text),
    Number(u64),
    Object(Vec<(&'static str, Json)>),
}

/// Writes JSON, each character in one of the ways that are legal.
pub struct Speller<'r> {
    pub random: &'r mut Random,
    /// Of ASCII, how many percent are escaped without need.
    pub needless: usize,
    /// Of what is not ASCII, how many percent are escaped.
    pub escaped: usize,
    pub out: String,
}

impl Speller<'_> {
    fn space(&mut self) {
        self.out.push_str(self.random.pick(&["", "", "", " ", "\n  "]));
    }

    pub fn write(&mut self, json: &Json) {
        self.space();
        match json {
            Json::Text(text) => self.spell(text),
            Json::Number(number) => self.out.push_str(&number.to_string()),
            Json::Object(fields) => {
                for (index, (key, value)) in fields.iter().enumerate() {
                    self.out.push(if index == 0 { '{' } else { ',' });
                    self.space();
                    self.spell(&text(key));
                    self.space();
                    self.out.push(':');
                    self.write(value);
                }
                self.out.push('}');
            }
        }
        self.space();
    }

    fn spell(&mut self, text: &Text) {
        self.out.push('"');
        for &point in text {
            let Some(c) = char::from_u32(point) else {
                self.escape(point as u16);
                continue;
            };
            let percent = if c.is_ascii() { self.needless } else { self.escaped };
            if self.random.percent(percent) || c < ' ' {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|&unit| self.escape(unit));
            } else {
                if matches!(c, '"' | '\\') {
                    self.out.push('\\');
                }
                self.out.push(c);
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self, unit: u16) {
        self.out.push_str(r"\u");
        for digit in format!("{unit:04x}").chars() {
            self.out.push(if self.random.percent(50) { digit.to_ascii_uppercase() } else { digit });
        }
    }
}
