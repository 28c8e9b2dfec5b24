//! The offer: a hashtag with a product or a coupon, a price, a time window, a stock and limits.

use serde::{Deserialize, Serialize};

use crate::core::hashtag;
use crate::core::money::Money;
use crate::core::record::{Fields, Rejection};
use crate::core::time::Time;

/// The confirmation window that an offer may ask for, in seconds.
pub const WINDOW_SECONDS: std::ops::RangeInclusive<u32> = 60..=3_600;

/// One record of the table `offers`, valid by itself.
///
/// [`Offer::from_json`] is the way in for records of others. The derived `Deserialize` is for what
/// hashbuy wrote itself (inbox, pendings): it reads back exactly what `Serialize` writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Offer {
    /// The key of the record; not empty.
    pub offer_id: String,
    /// Counted up by whoever keeps the table; 1 where it is not given.
    pub version: u64,
    /// What is offered, with `kind` and the fields of that kind.
    #[serde(flatten)]
    pub kind: OfferKind,
    /// Open, or withdrawn by its keeper.
    pub status: OfferStatus,
    /// The tag as it was written, with its sign.
    pub hashtag: String,
    /// What replies call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Who sells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<String>,
    /// The first moment at which the offer is open.
    pub starts_at: Time,
    /// The last moment at which the offer is open.
    pub ends_at: Time,
    /// Units to sell, over all versions, 1 or more; `None`: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<u64>,
    /// Units that one account may buy, 1 or more.
    pub per_account: u64,
    /// The confirmation window in seconds, 60 to 3,600; `None`: the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u32>,
    /// A withdrawal that also cancels what is pending.
    pub cancel_pending: bool,
}

/// What an offer offers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OfferKind {
    /// An article at a price.
    Purchase {
        /// The price of one unit.
        price: Money,
    },
    /// A discount for the linked card.
    Coupon {
        /// The statement credit that it earns at most.
        credit: Money,
        /// The least amount of a payment that redeems it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min_spend: Option<Money>,
        /// The last moment at which a payment redeems it; the end of the offer if not given.
        redeem_by: Time,
    },
}

/// Whether an offer can be bought at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OfferStatus {
    /// From `starts_at` to `ends_at` it can.
    #[default]
    Open,
    /// It cannot.
    Withdrawn,
}

impl Offer {
    /// Reads and checks one record. `code_prefix` is that of the confirmation codes: an offer's
    /// tag may not look like one.
    ///
    /// # Errors
    /// The first rule that the record breaks. That no other offer has its tag is not known here,
    /// but to the [table](crate::core::tables::OfferTable).
    pub fn from_json(raw: &str, code_prefix: &str) -> Result<Offer, Rejection> {
        let mut fields = Fields::read("offer", raw)?;
        let offer_id = fields.required("offer_id", "a text", Fields::text)?;
        if offer_id.is_empty() {
            return Err(fields.reject("offer_id", "must not be empty"));
        }
        fields.name(&offer_id);
        fields.check_size(raw)?;
        let hashtag = fields.required("hashtag", "a text", Fields::text)?;
        check_tag(&fields, &hashtag, code_prefix)?;
        let starts_at = fields.required("starts_at", "a time", Fields::time)?;
        let ends_at = fields.required("ends_at", "a time", Fields::time)?;
        if ends_at < starts_at {
            return Err(fields.reject("ends_at", format!("must not be before starts_at, {starts_at}")));
        }
        let stock = fields.integer("stock", 1..=u64::MAX)?;
        let kind = kind(&fields, ends_at)?;
        if stock.is_some() && matches!(kind, OfferKind::Coupon { .. }) {
            return Err(fields.reject("stock", "must be left out: a coupon has no stock"));
        }
        let window = u64::from(*WINDOW_SECONDS.start())..=u64::from(*WINDOW_SECONDS.end());
        Ok(Offer {
            version: fields.integer("version", 0..=u64::MAX)?.unwrap_or(1),
            kind,
            status: status(&fields)?,
            product: fields.text("product")?,
            merchant_id: fields.text("merchant_id")?,
            stock,
            per_account: fields.integer("per_account", 1..=u64::MAX)?.unwrap_or(1),
            window_seconds: fields.integer("window_seconds", window)?.and_then(|s| u32::try_from(s).ok()),
            cancel_pending: fields.boolean("cancel_pending")?.unwrap_or(false),
            offer_id,
            hashtag,
            starts_at,
            ends_at,
        })
    }

    /// The tag as it is compared: folded, without its sign.
    pub fn folded_tag(&self) -> String {
        let body = self.hashtag.strip_prefix(['#', '＃']).unwrap_or(&self.hashtag);
        hashtag::fold(body).into_owned()
    }

    /// The amount at stake: the price of a purchase, the credit of a coupon.
    pub fn amount(&self) -> Money {
        match self.kind {
            OfferKind::Purchase { price } => price,
            OfferKind::Coupon { credit, .. } => credit,
        }
    }

    /// The same offer, closed: for a record that was taken back or replaced by a rejected one.
    ///
    /// What is pending stays, as nobody asked for a cancellation; a record that was a withdrawal
    /// already stays as it is.
    pub fn withdrawn(&self) -> Offer {
        match self.status {
            OfferStatus::Withdrawn => self.clone(),
            OfferStatus::Open => {
                Offer { status: OfferStatus::Withdrawn, cancel_pending: false, ..self.clone() }
            }
        }
    }
}

fn check_tag(fields: &Fields<'_>, tag: &str, code_prefix: &str) -> Result<(), Rejection> {
    let body = hashtag::whole(tag).ok_or_else(|| {
        fields.reject("hashtag", "must be one whole hashtag with its sign, such as #BuyKindle")
    })?;
    if hashtag::fold(body).starts_with(hashtag::fold(code_prefix).as_ref()) {
        let mend = format!("must not begin with {code_prefix}, as confirmation codes do");
        return Err(fields.reject("hashtag", mend));
    }
    Ok(())
}

fn kind(fields: &Fields<'_>, ends_at: Time) -> Result<OfferKind, Rejection> {
    const KINDS: &str = "must be \"purchase\" or \"coupon\"";
    const AMOUNT: &str = r#"an object such as {"amount":14999,"currency":"USD"}"#;
    match fields.text("kind")?.as_deref() {
        Some("purchase") => {
            Ok(OfferKind::Purchase { price: fields.required("price", AMOUNT, Fields::money)? })
        }
        Some("coupon") => Ok(OfferKind::Coupon {
            credit: fields.required("credit", AMOUNT, Fields::money)?,
            min_spend: fields.money("min_spend")?,
            redeem_by: fields.time("redeem_by")?.unwrap_or(ends_at),
        }),
        _ => Err(fields.reject("kind", KINDS)),
    }
}

fn status(fields: &Fields<'_>) -> Result<OfferStatus, Rejection> {
    match fields.text("status")?.as_deref() {
        None | Some("open") => Ok(OfferStatus::Open),
        Some("withdrawn") => Ok(OfferStatus::Withdrawn),
        Some(_) => Err(fields.reject("status", "must be \"open\" or \"withdrawn\"")),
    }
}
