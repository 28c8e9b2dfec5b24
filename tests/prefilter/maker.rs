//! Makes random tweets and deletions.

use std::collections::{BTreeMap, HashMap};

use hashbuy::core::hashtag::{fold, is_tag_char};
use unicode_normalization::UnicodeNormalization;

use crate::random::Random;
use crate::slow::{CODE_CHARS, PREFIX};
use crate::spell::{Json, Speller, Text, text};

/// Each folds, composes or is spelled in a way of its own.
#[rustfmt::skip]
pub const OFFERS: [&str; 24] = [
    "BuyKindleFireHD", "BuyTea", "buy_tea_2", "Kiosk", "Straße", "Süßsauer", "Office", "finale", "İstanbul", "ſale",
    "ΚΌΣΜΟΣ", "café", "Ångström", "ǰump", "ΐota", "ệnd", "한글구매", "각", "お茶を買う", "ガラス", "купить", "𐐔𐐯𐑅𐐨𐑉𐐯𐐻", "il·lusió", "मिठाई",
];
const OTHERS: [&str; 8] =
    ["news", "nowplaying", "ニュース", "Новости", "뉴스", "ñandú", "𐐨𐐩", "confirmhearings"];

/// What makes a tag another one, or ends it.
const NEARLY: [char; 9] = ['x', '7', '_', '\u{301}', '\u{200D}', '\u{200B}', '-', 'ß', '가'];
/// Odd things to stand directly before a sign, and directly behind a tag.
#[rustfmt::skip]
const BEFORE: [&str; 11] = ["x", "&", "#", "RT @anna: ", "http://tea.example/", "\\", "\\\\", "\"", "\u{FE0F}", "(", "\0"];
#[rustfmt::skip]
const AFTER: [&str; 11] = ["#", "://", "…", "\"", "\\", "\\u0041", "/", "\u{200B}", "\0", "&amp;", "\u{10FFFF}"];

/// Makes records, and counts what it put into them.
pub struct Maker {
    random: Random,
    offers: Vec<String>,
    /// All characters of hashtags, by what they fold to.
    unfolded: HashMap<String, Vec<char>>,
    /// How often each thing was put in.
    pub made: BTreeMap<&'static str, usize>,
}

impl Maker {
    pub fn new() -> Maker {
        let offers = OFFERS.iter().map(|offer| fold(offer).into_owned()).collect();
        let mut unfolded: HashMap<String, Vec<char>> = HashMap::new();
        for c in ('\0'..=char::MAX).filter(|&c| is_tag_char(c)) {
            unfolded.entry(fold(&c.to_string()).into_owned()).or_default().push(c);
        }
        Maker { random: Random(7), offers, unfolded, made: BTreeMap::new() }
    }

    fn count(&mut self, what: &'static str) {
        *self.made.entry(what).or_default() += 1;
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.random.pick(from)
    }

    /// Some body that folds to `folded`, composed or not.
    fn typed(&mut self, folded: &str) -> String {
        for _ in 0..100 {
            let mut typed = String::new();
            let mut rest = folded;
            while !rest.is_empty() {
                let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(3);
                let heads: Vec<&str> =
                    ends.map(|end| &rest[..end]).filter(|head| self.unfolded.contains_key(*head)).collect();
                let head = if self.random.percent(50) { heads[0] } else { self.random.pick(&heads) };
                let choices = &self.unfolded[head];
                typed.push(choices[self.random.below(choices.len())]);
                rest = &rest[head.len()..];
            }
            let typed = if self.random.percent(25) { typed.nfd().collect() } else { typed };
            if fold(&typed) == folded {
                self.note_letters(&typed);
                return typed;
            }
        }
        folded.to_owned()
    }

    fn note_letters(&mut self, typed: &str) {
        let has = |letters: &str| typed.contains(|c| letters.contains(c));
        for (what, there) in [
            ("letter: long s", has("ſ")),
            ("letter: Kelvin sign", has("\u{212A}")),
            ("letter: sharp s", has("ßẞ")),
            ("letter: ligature", has("ﬁﬀﬃﬆ")),
            ("letter: I with dot", has("İ")),
            ("letter: final sigma", has("ς")),
            ("letter: capital", typed.contains(char::is_uppercase)),
            ("letter: beyond the basic plane", typed.contains(|c| c > '\u{FFFF}')),
            ("letter: Hangul jamo", typed.contains(|c| ('\u{1100}'..='\u{11FF}').contains(&c))),
            ("letter: decomposed", typed.nfc().count() < typed.chars().count()),
        ] {
            if there {
                self.count(what);
            }
        }
    }

    /// A body that is one change away from `body`.
    fn nearly(&mut self, body: &str) -> Text {
        let mut near = text(body);
        let at = self.random.below(near.len());
        let odd = u32::from(NEARLY[self.random.below(NEARLY.len())]);
        match self.random.below(5) {
            0 => near.push(odd),
            1 => near.insert(at, odd),
            2 => near[at] = odd,
            3 => near.insert(at, self.surrogate()),
            _ => _ = near.pop(),
        }
        near
    }

    fn surrogate(&mut self) -> u32 {
        self.count("beside: lone surrogate");
        0xDC00 + self.random.below(0x400) as u32
    }

    fn code(&mut self) -> String {
        loop {
            let code: String =
                (0..8).map(|_| char::from(CODE_CHARS.as_bytes()[self.random.below(32)])).collect();
            if code.bytes().filter(u8::is_ascii_digit).count() >= 2 {
                return format!("{PREFIX}{}", code.to_lowercase());
            }
        }
    }

    fn sign(&mut self) -> &'static str {
        let sign = self.pick(&["#", "#", "＃"]);
        self.count(if sign == "#" { "sign: number sign" } else { "sign: full-width" });
        sign
    }

    /// The text of a tweet with one hashtag, with or without odd things around it.
    fn around(&mut self, body: Text, odd: bool) -> Text {
        let mut all = text(self.pick(&["", "look: ", "天気 ", "say \"tea\"\n", "𐐨 é ", "C:\\u0023 "]));
        if odd {
            all.extend(text(self.pick(&BEFORE)));
            if self.random.percent(20) {
                let low = self.surrogate();
                all.push(if self.random.percent(50) { low } else { low - 0x400 });
            }
        }
        all.extend(text(self.sign()));
        all.extend(body);
        if odd {
            if self.random.percent(20) {
                all.push(self.surrogate());
            }
            all.extend(text(self.pick(&AFTER)));
        }
        all.extend(text(self.pick(&["", " please", " 🍵", "\r\n…", " #news", "！"])));
        all
    }

    fn tweet(&mut self, own: Text) -> Json {
        let (bio, mut own) = (text("tea & #news"), own);
        let mut texts = [bio, text("<a href=\"http://tea.example/\">web</a>")];
        if self.random.percent(20) {
            let place = self.random.below(2);
            std::mem::swap(&mut own, &mut texts[place]);
        }
        let [bio, source] = texts.map(Json::Text);
        let id = Json::Text(text("301700000000230065"));
        match self.random.below(3) {
            0 => Json::Object(vec![
                ("id", Json::Number(301_700_000_000_230_065)),
                ("text", Json::Text(own)),
                ("source", source),
                ("user", Json::Object(vec![("id_str", id), ("description", bio)])),
            ]),
            1 => Json::Object(vec![
                ("data", Json::Object(vec![("id", id), ("text", Json::Text(own)), ("source", source)])),
                ("includes", object("description", bio)),
            ]),
            _ => Json::Object(vec![
                ("verb", Json::Text(text("post"))),
                ("body", Json::Text(own)),
                ("generator", source),
                ("actor", Json::Object(vec![("id", id), ("summary", bio)])),
            ]),
        }
    }

    /// A record, of which kind it is, and whether the prefilter has to agree with the slow way.
    pub fn record(&mut self) -> (&'static str, Json, bool) {
        let offer = self.offers[self.random.below(self.offers.len())].clone();
        let id = || object("id", Json::Number(5));
        let (kind, body, odd) = match self.random.below(12) {
            0 => return ("deletion: v1", object("delete", object("status", id())), true),
            1 => return ("deletion: v2", object("delete", object("tweet", id())), true),
            2 => {
                let deletion = object("tweet_delete", object("tweet", id()));
                return ("deletion: v2 in data", object("data", deletion), true);
            }
            3 => {
                let verb = ("verb", Json::Text(text("delete")));
                return ("deletion: activity", Json::Object(vec![("object", id()), verb]), true);
            }
            4 => return ("no tag", self.tweet(text("I said \"delete it\", #, # 1, #1 and buytea")), true),
            5 => ("other tag", text(self.pick(&OTHERS)), false),
            6 => ("nearly a tag", self.nearly(&offer), false),
            7 => {
                let code = self.code();
                ("nearly a code", self.nearly(&code), false)
            }
            8 => {
                let code = self.code();
                ("code", text(&self.typed(&code)), false)
            }
            kind => ("tag", text(&self.typed(&offer)), kind == 9),
        };
        let kind = if odd { "tag in odd surroundings" } else { kind };
        let own = self.around(body, odd);
        (kind, self.tweet(own), !odd)
    }

    /// A record as JSON, in a style of its own.
    pub fn write(&mut self, json: &Json) -> String {
        let (needless, escaped) = [(0, 100), (0, 0), (10, 50), (60, 60), (100, 100)][self.random.below(5)];
        let mut speller = Speller { random: &mut self.random, needless, escaped, out: String::new() };
        speller.write(json);
        let record = speller.out;
        if ["\\u0023", "\\uff03"].iter().any(|sign| record.to_ascii_lowercase().contains(sign)) {
            self.count("sign: escaped");
        }
        record
    }
}

fn object(key: &'static str, value: Json) -> Json {
    Json::Object(vec![(key, value)])
}
