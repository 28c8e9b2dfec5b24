//! Made-up words, names and links. Nothing in here belongs to anybody.

use fastrand::Rng;

/// A language of made-up tweets: its code, and words that mean little but look right.
pub(super) struct Language {
    /// As in `lang`.
    pub code: &'static str,
    words: &'static [&'static str],
}

/// The languages; an author writes in one of them.
pub(super) const LANGUAGES: [Language; 6] = [
    Language {
        code: "en",
        words: &[
            "the",
            "a",
            "my",
            "this",
            "morning",
            "kettle",
            "train",
            "rain",
            "again",
            "just",
            "nobody",
            "told",
            "me",
            "about",
            "Tuesday",
            "coffee",
            "window",
            "cat",
            "sleeping",
            "late",
            "so",
            "good",
            "and",
            "then",
            "we",
            "walked",
            "home",
            "lol",
            "why",
            "is",
            "it",
            "always",
            "cold",
            "in",
            "here",
            "tea & toast",
            "haha",
            "ok",
            "best",
            "day",
            "ever",
            "finally",
            "found",
            "lost",
            "keys",
            "under",
            "sofa",
            "I'm",
            "\"fine\"",
            "<3",
        ],
    },
    Language {
        code: "es",
        words: &[
            "la", "mañana", "está", "fría", "pero", "el", "café", "ayuda", "siempre", "llueve", "aquí",
            "vamos", "otra", "vez", "niño", "sueño", "tarde", "qué", "día", "más", "bonito", "jaja", "nadie",
            "sabe",
        ],
    },
    Language {
        code: "ru",
        words: &[
            "чай",
            "утро",
            "опять",
            "дождь",
            "окно",
            "кот",
            "спит",
            "где",
            "мои",
            "ключи",
            "завтра",
            "хорошо",
            "поезд",
        ],
    },
    Language {
        code: "ja",
        words: &[
            "お茶",
            "朝",
            "また雨",
            "猫が寝てる",
            "電車",
            "窓",
            "眠い",
            "明日",
            "いい天気",
            "散歩",
            "おはよう",
            "鍵どこ",
        ],
    },
    Language {
        code: "ar",
        words: &["شاي", "صباح", "مطر", "نافذة", "قطة", "قطار", "غدا", "جميل", "اليوم", "قهوة", "متأخر"],
    },
    Language {
        code: "en",
        words: &[
            "🍵", "☔", "😹", "yay", "no way", "🎈🎈", "mmm", "zzz", "(^_^)", "soup!!", "♥", "omw", "brb",
            "💤",
        ],
    },
];

/// Hashtags of nobody's offers; some of them only begin like one, or like a code.
const HASHTAGS: [&str; 16] = [
    "#rain",
    "#tea",
    "#MondayAgain",
    "#nowplaying",
    "#猫",
    "#чай",
    "#TeaTime",
    "#BuyNothing",
    "#BuyTeapotOrNot",
    "#ConfirmHearings",
    "#catsofthenet",
    "#lost_keys",
    "#soup",
    "#sofa",
    "＃お茶",
    "#café",
];

const SYLLABLES: [&str; 20] = [
    "an", "bo", "ca", "do", "el", "fi", "go", "ha", "iri", "jo", "ka", "lu", "mi", "no", "ola", "pe", "ru",
    "sa", "ti", "zo",
];

/// One of several, each as likely as the others.
pub(super) fn one_of<'t, T: ?Sized>(rng: &mut Rng, all: &[&'t T]) -> &'t T {
    all[rng.usize(0..all.len())]
}

/// True that often in a hundred.
pub(super) fn percent(rng: &mut Rng, share: u32) -> bool {
    rng.u32(0..100) < share
}

/// Words of a language until there are at least that many characters.
pub(super) fn sentence(rng: &mut Rng, language: &Language, characters: usize) -> String {
    let mut text = one_of(rng, language.words).to_owned();
    while text.chars().count() < characters {
        text.push(' ');
        text.push_str(one_of(rng, language.words));
    }
    text
}

/// A hashtag that no offer has.
pub(super) fn hashtag(rng: &mut Rng) -> &'static str {
    one_of(rng, &HASHTAGS)
}

/// A word of syllables.
pub(super) fn name(rng: &mut Rng, syllables: usize) -> String {
    (0..syllables).map(|_| one_of(rng, &SYLLABLES)).collect()
}

/// Hexadecimal digits.
pub(super) fn hex(rng: &mut Rng, digits: usize) -> String {
    (0..digits).map(|_| char::from_digit(rng.u32(0..16), 16).unwrap_or('0')).collect()
}

/// A link as people see it, under a domain that is reserved for examples.
pub(super) fn link(rng: &mut Rng) -> String {
    let (domain, page) = (name(rng, 3), name(rng, 3));
    match rng.u32(0..10) {
        0 => format!("http://{domain}.example.com/#!/{page}"),
        _ => format!("http://www.{domain}.example.com/{page}/{}", rng.u32(100..9_999)),
    }
}
