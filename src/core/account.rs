//! The account: what links an author to a card and a delivery address.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::card_number::is_card_number;
use crate::core::ids::AccountId;
use crate::core::money::Money;
use crate::core::record::{Fields, Rejection};
use crate::core::time::Time;

/// One record of the table `accounts`, valid by itself.
///
/// [`Account::from_json`] is the way in for records of others; the derived `Deserialize` reads
/// back what hashbuy wrote itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The author's id.
    pub account_id: AccountId,
    /// The handle, for replies to tweets that come without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_name: Option<String>,
    /// The opaque token by which the payment provider knows the card; not empty, no card number.
    pub card_token: String,
    /// By what the shipper knows the address on file.
    pub delivery_ref: String,
    /// Active or frozen.
    pub status: AccountStatus,
    /// When the card was linked.
    pub linked_at: Time,
    /// Limits of its own.
    #[serde(default, skip_serializing_if = "Caps::is_empty")]
    pub caps: Caps,
}

/// Whether an account may buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// It may.
    Active,
    /// It may not; what was pending is cancelled.
    Frozen,
}

/// An account's own limits, each in place of the configured one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// The most that it may spend in a UTC day, and in which currency alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Money>,
    /// Pendings at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pendings: Option<u64>,
    /// Requests within an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_hour: Option<u64>,
    /// Wrong codes within an hour, the last of which locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong_codes_per_hour: Option<u64>,
    /// Seconds after linking in which nothing can be bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_seconds: Option<u64>,
}

impl Caps {
    /// True if every limit is the configured one.
    pub fn is_empty(&self) -> bool {
        *self == Caps::default()
    }
}

/// Without the card token, so that no log can hold it by accident.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("account_id", &self.account_id)
            .field("screen_name", &self.screen_name)
            .field("status", &self.status)
            .field("linked_at", &self.linked_at)
            .field("caps", &self.caps)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Reads and checks one record.
    ///
    /// # Errors
    /// The first rule that the record breaks; never with a card token in it. How many accounts
    /// share the card is not known here, but to the [table](crate::core::tables::AccountTable).
    pub fn from_json(raw: &str) -> Result<Account, Rejection> {
        let mut fields = Fields::read("account", raw)?;
        fields.hide("card_token");
        let id = fields.required("account_id", "a text", Fields::text)?;
        let account_id = AccountId::parse(&id).ok_or_else(|| {
            let mend = "must be a text of decimal digits without leading zeros, 1 to 2^64 - 1";
            fields.reject("account_id", mend)
        })?;
        fields.name(&id);
        fields.check_size(raw)?;
        let card_token = card_token(&fields)?;
        Ok(Account {
            account_id,
            screen_name: fields.text("screen_name")?,
            card_token,
            delivery_ref: fields.required("delivery_ref", "a text", Fields::text)?,
            status: status(&fields)?,
            linked_at: fields.required("linked_at", "a time", Fields::time)?,
            caps: caps(&fields)?,
        })
    }
}

/// The card's token: any text that is no card number.
pub(super) fn card_token(fields: &Fields<'_>) -> Result<String, Rejection> {
    let token = fields.required("card_token", "a text", Fields::secret_text)?;
    if is_card_number(&token) {
        let found = "like a card number (13 to 19 digits that pass the Luhn check; not shown)";
        return Err(fields.reject_as(
            "card_token",
            found,
            "must be the payment provider's token for the card",
        ));
    }
    if token.is_empty() {
        return Err(fields.reject_as(
            "card_token",
            "empty",
            "must be the payment provider's token for the card",
        ));
    }
    Ok(token)
}

fn status(fields: &Fields<'_>) -> Result<AccountStatus, Rejection> {
    match fields.text("status")?.as_deref() {
        Some("active") => Ok(AccountStatus::Active),
        Some("frozen") => Ok(AccountStatus::Frozen),
        _ => Err(fields.reject("status", "must be \"active\" or \"frozen\"")),
    }
}

fn caps(fields: &Fields<'_>) -> Result<Caps, Rejection> {
    let Some(caps) = fields.object("caps", "must be an object such as {\"pendings\":5}")? else {
        return Ok(Caps::default());
    };
    Ok(Caps {
        per_day: caps.money("per_day")?,
        pendings: caps.integer("pendings", 0..=u64::MAX)?,
        requests_per_hour: caps.integer("requests_per_hour", 0..=u64::MAX)?,
        wrong_codes_per_hour: caps.integer("wrong_codes_per_hour", 0..=u64::MAX)?,
        hold_seconds: caps.integer("hold_seconds", 0..=u64::MAX)?,
    })
}
