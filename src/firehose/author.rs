//! Authors, with everything that a stream repeats about them in each of their tweets.

use fastrand::Rng;

use super::wire::{put, put_string, string};
use super::words::{LANGUAGES, Language, hashtag, hex, link, name, one_of, percent, sentence};
use crate::core::ids::AccountId;
use crate::core::time::Time;

/// Somebody who tweets.
pub(super) struct Author {
    /// The author's id.
    pub id: u64,
    /// The handle without `@`.
    pub handle: String,
    /// What the author writes in.
    pub language: &'static Language,
    /// The value of `user` in a v1.1 record.
    pub user: Vec<u8>,
}

impl Author {
    /// One of the many: nobody with an account.
    pub fn stranger(rng: &mut Rng) -> Author {
        let handle = format!("{}_{}", name(rng, 2), rng.u32(10..9_999));
        let language = if percent(rng, 48) { 0 } else { rng.usize(1..LANGUAGES.len()) };
        Author::new(rng.u64(10_000_000..1_200_000_000), &handle, &LANGUAGES[language], rng)
    }

    /// An author of whom id and handle are given; the rest is always the same for the same id.
    pub fn known(id: AccountId, handle: &str) -> Author {
        let mut rng = Rng::with_seed(id.get());
        Author::new(id.get(), handle, &LANGUAGES[0], &mut rng)
    }

    fn new(id: u64, handle: &str, language: &'static Language, rng: &mut Rng) -> Author {
        let mut user = Vec::with_capacity(1_800);
        put_user(&mut user, id, handle, language, rng);
        Author { id, handle: handle.to_owned(), language, user }
    }
}

fn put_user(out: &mut Vec<u8>, id: u64, handle: &str, language: &Language, rng: &mut Rng) {
    put(out, format_args!(r#"{{"id":{id},"id_str":"{id}","name":"#));
    let shown_name = if language.code == "en" { name(rng, 4) } else { sentence(rng, language, 6) };
    put_string(out, &shown_name);
    put(out, format_args!(r#","screen_name":"{handle}","location":"#));
    let location_length = rng.usize(1..14);
    put_string(out, &sentence(rng, language, location_length));
    out.extend_from_slice(br#","url":"#);
    match percent(rng, 32) {
        true => put_string(out, &link(rng)),
        false => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","description":"#);
    match percent(rng, 11) {
        true => out.extend_from_slice(b"null"),
        false => put_string(out, &bio(rng, language)),
    }
    put_counts(out, rng);
    put(
        out,
        format_args!(r#","lang":"{}","contributors_enabled":false,"is_translator":false"#, language.code),
    );
    put_profile(out, id, rng);
    out.extend_from_slice(br#","following":null,"follow_request_sent":null,"notifications":null}"#);
}

fn bio(rng: &mut Rng, language: &Language) -> String {
    let length = rng.usize(70..160);
    let mut bio = sentence(rng, language, length);
    if percent(rng, 35) {
        bio.push(' ');
        bio.push_str(hashtag(rng));
    }
    bio
}

fn put_counts(out: &mut Vec<u8>, rng: &mut Rng) {
    let since = Time::from_millis(rng.i64(1_200_000_000_000..1_356_000_000_000));
    let (followers, friends, listed) = (rng.u32(0..4_000), rng.u32(0..2_000), rng.u32(0..60));
    put(
        out,
        format_args!(
            r#","protected":false,"followers_count":{followers},"friends_count":{friends},"listed_count":{listed},"created_at":"{}","favourites_count":{}"#,
            created_at(since),
            rng.u32(0..3_000),
        ),
    );
    match percent(rng, 66) {
        true => put(
            out,
            format_args!(
                r#","utc_offset":{},"time_zone":"{}""#,
                rng.i32(-11..13) * 3_600,
                one_of(
                    rng,
                    &["Quito", "London", "Tokyo", "Hawaii", "Casablanca", "Central Time (US & Canada)"]
                )
            ),
        ),
        false => out.extend_from_slice(br#","utc_offset":null,"time_zone":null"#),
    }
    put(
        out,
        format_args!(
            r#","geo_enabled":{},"verified":false,"statuses_count":{}"#,
            rng.bool(),
            rng.u32(1..60_000)
        ),
    );
}

fn put_profile(out: &mut Vec<u8>, id: u64, rng: &mut Rng) {
    let background = match percent(rng, 40) {
        true => format!(
            "img.example.com/profile_background_images/{}/{}.jpeg",
            rng.u32(100_000_000..),
            hex(rng, 32)
        ),
        false => format!("img.example.com/images/themes/theme{}/bg.png", rng.u32(1..20)),
    };
    let face =
        format!("img.example.com/profile_images/{}/{}_normal.jpeg", rng.u32(1_000_000_000..), hex(rng, 32));
    put(out, format_args!(r#","profile_background_color":"{}""#, hex(rng, 6).to_uppercase()));
    for (field, path) in [("profile_background_image_url", background), ("profile_image_url", face)] {
        if field == "profile_image_url" {
            put(out, format_args!(r#","profile_background_tile":{}"#, rng.bool()));
        }
        put(out, format_args!(r#","{field}":"#));
        put_string(out, &format!("http://{path}"));
        put(out, format_args!(r#","{field}_https":"#));
        put_string(out, &format!("https://{path}"));
    }
    if percent(rng, 74) {
        let banner =
            format!("https://img.example.com/profile_banners/{id}/{}", rng.u32(1_340_000_000..1_360_000_000));
        out.extend_from_slice(br#","profile_banner_url":"#);
        out.extend_from_slice(&string(&banner));
    }
    for field in ["link", "sidebar_border", "sidebar_fill", "text"] {
        put(out, format_args!(r#","profile_{field}_color":"{}""#, hex(rng, 6).to_uppercase()));
    }
    put(
        out,
        format_args!(
            r#","profile_use_background_image":true,"default_profile":{},"default_profile_image":false"#,
            percent(rng, 20)
        ),
    );
}

/// A time as v1.1 writes it: `Wed Feb 13 12:00:00 +0000 2013`.
pub(crate) fn created_at(time: Time) -> String {
    let time = chrono::DateTime::from_timestamp_millis(time.millis()).unwrap_or_default();
    time.format("%a %b %d %H:%M:%S +0000 %Y").to_string()
}
