//! Texts that look like the number of a payment card.
//!
//! A card is known to us by an opaque token of the payment provider, never by its number. A token
//! that looks like a number is a mistake of whoever filled the table: its record is rejected, and
//! the number goes into no message, no log and no dead letter. So there are two questions: is this
//! token a card number ([`is_card_number`]), and does this text, about to be printed, contain one
//! ([`contains_card_number`])? The second one errs on the side of silence.

/// Fewest and most digits of a card number (ISO/IEC 7812).
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// True if `token`, without white space and dashes, is 13 to 19 digits that pass the Luhn check.
pub fn is_card_number(token: &str) -> bool {
    let mut digits = Vec::with_capacity(*DIGITS.end());
    for c in token.chars().filter(|&c| !is_gap(c)) {
        match digit(c) {
            Some(digit) if digits.len() < *DIGITS.end() => digits.push(digit),
            _ => return false,
        }
    }
    DIGITS.contains(&digits.len()) && luhn(&digits)
}

/// True if anywhere in `text` 13 to 19 digits in a row, with at most white space, dashes and dots
/// between them, pass the Luhn check.
pub fn contains_card_number(text: &str) -> bool {
    let mut run = Vec::new();
    for c in text.chars() {
        if let Some(digit) = digit(c) {
            run.push(digit);
        } else if !is_gap(c) && c != '.' {
            if any_window_is_card_number(&run) {
                return true;
            }
            run.clear();
        }
    }
    any_window_is_card_number(&run)
}

fn any_window_is_card_number(run: &[u8]) -> bool {
    DIGITS.clone().any(|length| run.windows(length).any(luhn))
}

/// The Luhn check: from the right, every second digit doubled (and its own digits summed), the
/// sum of all is a multiple of ten.
fn luhn(digits: &[u8]) -> bool {
    let mut sum = 0_u32;
    for (i, &digit) in digits.iter().rev().enumerate() {
        let weighted = u32::from(digit) * (1 + i as u32 % 2);
        sum += weighted / 10 + weighted % 10;
    }
    sum.is_multiple_of(10)
}

fn digit(c: char) -> Option<u8> {
    c.is_ascii_digit().then(|| c as u8 - b'0')
}

/// White space, and what people and word processors put for a dash.
fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '\u{AD}' | '\u{58A}' | '\u{5BE}' | '\u{1400}' | '\u{1806}')
        || matches!(
            c,
            '\u{200B}' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{2E3A}' | '\u{2E3B}'
        )
        || matches!(
            c,
            '\u{301C}' | '\u{3030}' | '\u{FE31}' | '\u{FE32}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_a_card_number() {
        for number in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "5555\u{2013}5555\u{a0}5555 4444",
            " 378282246310005\t",
            "4222222222222",
            "0000000000000000000",
        ] {
            assert!(is_card_number(number), "{number}");
        }
        for token in [
            "4242424242424241",
            "tok_4242424242424242",
            "4242.4242.4242.4242",
            "424242424242",
            "00000000000000000000",
            "",
            "card-b0",
        ] {
            assert!(!is_card_number(token), "{token}");
        }
    }

    #[test]
    fn a_text_with_a_card_number_in_it() {
        for text in ["tok_4242424242424242", "it is 4242 4242-4242.4242!", "9994242424242424242999"] {
            assert!(contains_card_number(text), "{text}");
        }
        for text in ["2016-02-04T09:00:00.000Z", "1111111111111111", "424242424242", "4242424242_42424242"] {
            assert!(!contains_card_number(text), "{text}");
        }
    }
}
