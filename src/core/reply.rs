//! The texts of replies, and their length as X counts it.
//!
//! The templates come from the settings; what is filled in may be of any length (a product's name
//! has up to 1,024 bytes), so it is cut until the whole fits.

use super::event::Reply;
use super::ids::TweetId;
use super::template::{Piece, Place, Template};

/// No reply is longer, as [`weighted_length`] counts.
pub const MAX_LENGTH: usize = 280;

/// What a link counts, however long it is.
const LINK_LENGTH: usize = 23;

/// What is filled into a template, by the name of the placeholder.
#[derive(Debug, Default, Clone)]
pub struct Values<'v> {
    /// The handle without `@`: `{to}` becomes `@anna ` or nothing.
    pub to: Option<&'v str>,
    /// `{code}`, with sign and prefix.
    pub code: &'v str,
    /// `{until}`: `16:45`, of a coupon `2013-03-03 23:59`.
    pub until: &'v str,
    /// `{product}`: the product, else the offer's tag.
    pub product: &'v str,
    /// `{price}`: `$149.99`.
    pub price: &'v str,
    /// `{offer_tag}`, or in a refusal the hashtag as typed.
    pub offer_tag: &'v str,
}

/// The reply to a tweet, no longer than [`MAX_LENGTH`]: a long product name is cut with `…`, and
/// if that is not enough, the whole text.
pub fn reply(template: &Template, in_reply_to: TweetId, values: &Values<'_>) -> Reply {
    let mut text = fill(template, values, values.product);
    let mut product: String = values.product.to_owned();
    while !fits(&text) && product.pop().is_some() {
        text = fill(template, values, &format!("{}…", product.trim_end()));
    }
    if !fits(&text) {
        text = cut(&text);
    }
    Reply { in_reply_to, to: values.to.map(str::to_owned), text }
}

fn fill(template: &Template, values: &Values<'_>, product: &str) -> String {
    let mut text = String::with_capacity(MAX_LENGTH);
    for piece in template.pieces() {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Place(Place::To) => {
                if let Some(to) = values.to {
                    text.push('@');
                    text.push_str(to);
                    text.push(' ');
                }
            }
            Piece::Place(Place::Code) => text.push_str(values.code),
            Piece::Place(Place::Until) => text.push_str(values.until),
            Piece::Place(Place::Product) => text.push_str(product),
            Piece::Place(Place::Price) => text.push_str(values.price),
            Piece::Place(Place::OfferTag) => text.push_str(values.offer_tag),
        }
    }
    text
}

/// The longest beginning that fits with a `…` behind it.
fn cut(text: &str) -> String {
    let mut text = text.to_owned();
    while text.pop().is_some() {
        let shorter = format!("{}…", text.trim_end());
        if fits(&shorter) {
            return shorter;
        }
    }
    text
}

/// Whether a text is not longer than [`MAX_LENGTH`]. Most are so short that it need not be counted.
fn fits(text: &str) -> bool {
    most_length(text) <= MAX_LENGTH || weighted_length(text) <= MAX_LENGTH
}

/// What [`weighted_length`] cannot exceed: no character counts more than it has bytes, and where something may be a
/// link there is a dot.
fn most_length(text: &str) -> usize {
    text.len() + (LINK_LENGTH + 1) * memchr::memchr_iter(b'.', text.as_bytes()).count()
}

/// The length of a tweet as X counts it, or a little more: characters of Latin and a few other
/// scripts count 1, all others (emoji as well) 2, links 23 (twitter-text's configuration v3).
///
/// Never less than X counts: whatever has a dot between a letter or digit and a letter may be taken
/// for a link, so it counts for one, and an emoji made of several characters counts each of them.
pub fn weighted_length(text: &str) -> usize {
    let in_host = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let mut length = 0;
    // Runs of characters of hosts, each with the character behind it.
    for run in text.split_inclusive(|c: char| !in_host(c)) {
        let plain: usize = run.chars().map(weight).sum();
        length += if may_be_host(run) { plain.max(LINK_LENGTH + 1) } else { plain };
    }
    length
}

fn weight(c: char) -> usize {
    match c as u32 {
        0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247 => 1,
        _ => 2,
    }
}

fn may_be_host(run: &str) -> bool {
    let mut before = ' ';
    let mut characters = run.chars().peekable();
    while let Some(c) = characters.next() {
        let dotted = c == '.' && before.is_alphanumeric();
        if dotted && characters.peek().is_some_and(|next| next.is_alphabetic()) {
            return true;
        }
        before = c;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &str, values: &Values<'_>) -> String {
        reply(&Template::new(template).unwrap(), TweetId::new(1).unwrap(), values).text
    }

    #[test]
    fn placeholders_are_filled() {
        let values = Values {
            to: Some("anna"),
            code: "#C",
            until: "16:45",
            product: "Pot",
            price: "$1.00",
            offer_tag: "#P",
        };
        let template = "{to}Tweet {code} by {until} UTC to buy {product} for {price}, {offer_tag}";
        assert_eq!(text(template, &values), "@anna Tweet #C by 16:45 UTC to buy Pot for $1.00, #P");
        assert_eq!(text("{to}Hi", &Values::default()), "Hi");
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        let values = Values { product: "{price} {to}", price: "$1.00", ..Values::default() };
        assert_eq!(text("{product}", &values), "{price} {to}");
    }

    #[test]
    fn a_long_product_is_cut() {
        for name in [
            "x".repeat(1_024),
            "茶".repeat(341),
            "🍵".repeat(256),
            "a b.c ".repeat(170),
            "abcd.com,".repeat(113),
        ] {
            let values = Values { to: Some("anna"), product: &name, price: "$1.00", ..Values::default() };
            let text = text("{to}Buy {product} for {price}", &values);
            assert!(weighted_length(&text) <= MAX_LENGTH, "{text}");
            assert!(text.ends_with("… for $1.00"), "{text}");
        }
    }

    #[test]
    fn whatever_is_too_long_the_reply_is_not() {
        let long = "y".repeat(1_024);
        let values = Values { to: Some(&long), product: "Pot", ..Values::default() };
        assert!(weighted_length(&text("{to}Buy {product}", &values)) <= MAX_LENGTH);
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_counted_is_no_longer_than_that(text in "(\\PC|[a-zé.]{0,9}){0,60}") {
            proptest::prop_assert!(most_length(&text) >= weighted_length(&text));
        }
    }

    #[test]
    fn lengths() {
        assert_eq!(weighted_length("abc é ж"), 7);
        assert_eq!(weighted_length("茶🍵"), 4);
        assert_eq!(weighted_length("see x.co"), 4 + 24);
        assert_eq!(weighted_length("a.com,b.com/c"), 24 + 24 + 1);
        assert_eq!(weighted_length("$149.99, 3.5 mm."), 16);
    }
}
