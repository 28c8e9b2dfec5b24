//! A card: the coupons on it, and the payments and refunds that count for them.
//!
//! All transactions stand in one list in the order of their arrival. Which refund reverses a coupon is worked
//! out from that list each time.

mod credits;

pub use self::credits::message;

use hashbuy::core::inbox::Load;
use hashbuy::core::money::Money;
use hashbuy::core::offer::OfferKind;
use hashbuy::core::transaction::{Transaction, TransactionKind};

use super::{DAY, Output};

/// From the last moment of redeeming to the end of waiting for what is settled late.
const SETTLED: i64 = 7 * DAY;
/// From the last moment of redeeming to the end of all memory of a coupon.
pub const COUPON_KEPT: i64 = 30 * DAY;
/// As long as this a payment waits for a coupon, and a refund for its payment.
const WAITS: i64 = DAY;

#[derive(Default)]
pub struct Card {
    /// In the order in which they were loaded.
    coupons: Vec<Coupon>,
    /// In the order of their arrival.
    transactions: Vec<Kept>,
}

/// A transaction that has come.
struct Kept {
    transaction: Transaction,
    /// A payment waits for coupons, a refund for its payment, until its day is over.
    waits: bool,
}

struct Coupon {
    load: Load,
    credit: Money,
    min_spend: Option<Money>,
    redeem_by: i64,
    /// Its account is linked and not frozen.
    active: bool,
    redeemed: Option<Redeemed>,
    reversed: bool,
    expired: bool,
    /// Payments that would have redeemed it while its account was frozen or unlinked.
    passed_by: Vec<String>,
}

struct Redeemed {
    payment: String,
    credited: Money,
}

impl Card {
    /// A coupon's tag, passed on by its account.
    pub fn load(&mut self, load: &Load, out: &mut Vec<Output>) {
        let OfferKind::Coupon { credit, min_spend, redeem_by } = load.offer.kind else {
            panic!("{} is no coupon", load.offer.offer_id)
        };
        if self.coupons.iter().any(|coupon| coupon.load.offer.offer_id == load.offer.offer_id) {
            out.push(Output::Message(credits::message("not_loaded", load)));
            return;
        }
        let coupon = Coupon {
            load: load.clone(),
            credit,
            min_spend,
            redeem_by: redeem_by.millis(),
            active: true,
            redeemed: None,
            reversed: false,
            expired: false,
            passed_by: Vec::new(),
        };
        out.push(Output::Event(credits::loaded(&coupon)));
        let waiting = self.transactions.iter().filter(|kept| kept.waits).map(|kept| &kept.transaction);
        let first = waiting.filter(|t| coupon.is_redeemed_by(t)).min_by_key(|t| (t.at, &t.transaction_id));
        let payment = first.cloned();
        self.coupons.push(coupon);
        if let Some(payment) = payment {
            self.redeem(self.coupons.len() - 1, &payment, out);
        }
    }

    /// A record of `card-transactions`. One whose id was there before does nothing.
    pub fn transaction(&mut self, transaction: &Transaction, progress: i64, out: &mut Vec<Output>) {
        let mut known = self.transactions.iter().map(|kept| &kept.transaction);
        if known.any(|t| t.transaction_id == transaction.transaction_id) {
            return;
        }
        let waits = progress <= transaction.at.millis() + WAITS;
        self.transactions.push(Kept { transaction: transaction.clone(), waits });
        for i in 0..self.coupons.len() {
            match &transaction.kind {
                TransactionKind::Payment if self.coupons[i].is_redeemed_by(transaction) => {
                    self.redeem(i, transaction, out);
                }
                TransactionKind::Payment if self.coupons[i].fits(transaction) => {
                    self.coupons[i].passed_by.push(transaction.transaction_id.clone());
                }
                TransactionKind::Payment => {}
                TransactionKind::Refund { of } => self.reverse(i, of, out),
            }
        }
    }

    /// open: with several coupons, what was refunded before is taken back of one before the next is redeemed.
    fn redeem(&mut self, i: usize, payment: &Transaction, out: &mut Vec<Output>) {
        let coupon = &mut self.coupons[i];
        let credited = Money { amount: coupon.credit.amount.min(payment.amount.amount), ..coupon.credit };
        coupon.redeemed = Some(Redeemed { payment: payment.transaction_id.clone(), credited });
        credits::credit("redeemed", coupon, payment, out);
        self.reverse(i, &payment.transaction_id, out);
    }

    /// What has become of its coupons, by offer.
    pub fn fates(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.coupons.iter().map(|coupon| (coupon.load.offer.offer_id.as_str(), coupon.fate()))
    }

    /// Whether the coupons of this account can be redeemed from now on.
    pub fn standing(&mut self, account: u64, active: bool) {
        for coupon in self.coupons.iter_mut().filter(|coupon| coupon.load.account.get() == account) {
            coupon.active = active;
        }
    }

    /// The transactions' own time has come so far.
    pub fn passed(&mut self, progress: i64, out: &mut Vec<Output>) {
        for coupon in &mut self.coupons {
            let over = progress >= coupon.redeem_by + SETTLED;
            if over && coupon.redeemed.is_none() && !coupon.expired {
                coupon.expired = true;
                out.push(Output::Event(credits::expired(coupon)));
            }
        }
        self.coupons.retain(|coupon| progress <= coupon.redeem_by + COUPON_KEPT);
        self.forget_transactions(progress);
    }

    /// Drops the payments that no coupon hangs on and that have waited long enough, and such refunds of
    /// payments that are not known.
    fn forget_transactions(&mut self, progress: i64) {
        for kept in &mut self.transactions {
            kept.waits = progress <= kept.transaction.at.millis() + WAITS;
        }
        let redeemed = self.coupons.iter().filter_map(|coupon| coupon.redeemed.as_ref());
        let passed_by = self.coupons.iter().flat_map(|coupon| &coupon.passed_by);
        let hang: Vec<&String> = redeemed.map(|redeemed| &redeemed.payment).chain(passed_by).collect();
        let payments =
            self.transactions.iter().filter(|kept| kept.transaction.kind == TransactionKind::Payment);
        let payments = payments.filter(|kept| kept.waits || hang.contains(&&kept.transaction.transaction_id));
        let payments: Vec<String> = payments.map(|kept| kept.transaction.transaction_id.clone()).collect();
        self.transactions.retain(|kept| match &kept.transaction.kind {
            TransactionKind::Payment => payments.contains(&kept.transaction.transaction_id),
            TransactionKind::Refund { of } => kept.waits || payments.contains(of),
        });
    }

    /// Takes back the credit if too little is left of its payment: by the refund, as they have come, after
    /// which it was too little.
    fn reverse(&mut self, i: usize, payment: &str, out: &mut Vec<Output>) {
        let coupon = &mut self.coupons[i];
        let hangs = coupon.redeemed.as_ref().is_some_and(|redeemed| redeemed.payment == payment);
        if !hangs || coupon.reversed {
            return;
        }
        let all = || self.transactions.iter().map(|kept| &kept.transaction);
        let is_it = |t: &&Transaction| t.transaction_id == payment && t.kind == TransactionKind::Payment;
        let Some(paid) = all().find(is_it).map(|t| t.amount) else { return };
        let mut left = i128::from(paid.amount);
        for refund in all() {
            let of_it = matches!(&refund.kind, TransactionKind::Refund { of } if of == payment);
            if of_it && refund.amount.currency == paid.currency {
                left -= i128::from(refund.amount.amount);
                if left < i128::from(coupon.least()) {
                    coupon.reversed = true;
                    credits::credit("reversed", coupon, refund, out);
                    return;
                }
            }
        }
    }
}

impl Coupon {
    fn fate(&self) -> &'static str {
        match (&self.redeemed, self.reversed, self.expired) {
            (Some(_), true, _) => "reversed",
            (Some(_), ..) => "redeemed",
            (None, _, true) => "expired",
            (None, ..) => "loaded",
        }
    }

    /// The least amount that redeems it.
    fn least(&self) -> i64 {
        self.min_spend.map_or(1, |least| least.amount.max(1))
    }

    fn is_redeemed_by(&self, t: &Transaction) -> bool {
        self.active && self.fits(t)
    }

    /// Whether a payment redeems it, if its account may use it.
    fn fits(&self, t: &Transaction) -> bool {
        let currency = t.amount.currency;
        t.kind == TransactionKind::Payment
            && self.redeemed.is_none()
            && !self.expired
            && self.load.offer.merchant_id.as_ref() == Some(&t.merchant_id)
            && currency == self.credit.currency
            && self.min_spend.is_none_or(|least| currency == least.currency)
            && t.amount.amount >= self.least()
            && (self.load.time.millis()..=self.redeem_by).contains(&t.at.millis())
    }
}
