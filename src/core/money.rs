//! Amounts of money: integers in minor units (cents) of an ISO 4217 currency. No floating point.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::from_text::from_text;

/// The code of a currency: three ASCII capitals, such as `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads three ASCII capitals; whether the currency exists is not asked, as new ones appear.
    pub fn parse(code: &str) -> Option<Currency> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Currency(code))
    }

    /// The three capitals.
    pub fn code(&self) -> &str {
        // Always ASCII, by construction.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many decimals an amount is shown with: those of ISO 4217, and 2 for an unknown currency.
    pub fn decimals(&self) -> u32 {
        let known = iso_currency::Currency::from_code(self.code());
        known.and_then(|currency| currency.exponent()).map_or(2, u32::from)
    }

    /// The sign that by itself means this currency to most readers, if there is one.
    fn symbol(&self) -> Option<&'static str> {
        Some(match &self.0 {
            b"USD" => "$",
            b"EUR" => "€",
            b"GBP" => "£",
            b"JPY" => "¥",
            b"INR" => "₹",
            b"KRW" => "₩",
            b"ILS" => "₪",
            b"VND" => "₫",
            _ => return None,
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        from_text(deserializer, |code| Currency::parse(code).ok_or("a currency is three capital letters"))
    }
}

/// An amount of money. In JSON `{"amount":14999,"currency":"USD"}`; shown to people as `$149.99`,
/// `¥500`, or `149.99 CHF` where no sign by itself means the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units (cents), 0 or more.
    pub amount: i64,
    /// The currency of the amount.
    pub currency: Currency,
}

impl Money {
    /// An amount in minor units of a currency.
    pub const fn new(amount: i64, currency: Currency) -> Money {
        Money { amount, currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbol = self.currency.symbol();
        f.write_str(symbol.unwrap_or_default())?;
        match self.currency.decimals() {
            0 => write!(f, "{}", self.amount)?,
            decimals => {
                let unit = 10_i64.pow(decimals);
                let width = decimals as usize;
                write!(f, "{}.{:0width$}", self.amount / unit, self.amount % unit)?;
            }
        }
        if symbol.is_none() { write!(f, " {}", self.currency) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(amount: i64, currency: &str) -> String {
        Money::new(amount, Currency::parse(currency).unwrap()).to_string()
    }

    #[test]
    fn shown_with_the_decimals_of_the_currency() {
        assert_eq!(shown(14_999, "USD"), "$149.99");
        assert_eq!(shown(5, "EUR"), "€0.05");
        assert_eq!(shown(500, "JPY"), "¥500");
        assert_eq!(shown(2_450, "CHF"), "24.50 CHF");
        assert_eq!(shown(1_234_567, "KWD"), "1234.567 KWD");
        assert_eq!(shown(1_234, "QQQ"), "12.34 QQQ");
        assert_eq!(shown(i64::MAX, "USD"), "$92233720368547758.07");
    }

    #[test]
    fn a_currency_is_three_capitals() {
        assert_eq!(Currency::parse("USD").unwrap().code(), "USD");
        for bad in ["usd", "US", "USDT", "U$D", "ÄB", ""] {
            assert_eq!(Currency::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn json_and_back() {
        let json = r#"{"amount":14999,"currency":"USD"}"#;
        let money: Money = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&money).unwrap(), json);
        assert!(serde_json::from_str::<Money>(r#"{"amount":1,"currency":"usd"}"#).is_err());
    }
}
