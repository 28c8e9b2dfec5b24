//! What people do with their cards: they load coupons, pay, are paid back, and get other cards.

use std::collections::BTreeMap;

use fastrand::Rng;
use hashbuy::core::time::Time;
use serde_json::{Value, json};

use super::bank::{Bank, Slip};
use super::people::{ODD, PLAIN};
use super::world::START;

const DAY: i64 = 86_400_000;
/// A coupon expires so long after its last moment.
pub const SETTLEMENT: i64 = 7 * DAY;
/// More than any coupon asks for.
const PLENTY: i64 = 5_000;
const MERCHANTS: [&str; 3] = ["m-1", "m-2", "m-3"];

/// A payment by somebody who has done nothing odd, that has to earn the credit of a coupon.
#[derive(Debug, Clone)]
pub struct Credit {
    pub account: String,
    pub offer: String,
    pub payment: String,
    /// Its own time.
    pub at: i64,
    /// When the coupon expires, by the transactions' time.
    pub until: i64,
}

/// A coupon as it stands.
struct Coupon {
    id: String,
    hashtag: String,
    version: u64,
    merchant: &'static str,
    credit: i64,
    min_spend: Option<i64>,
    /// None: until the end of the offer.
    redeem_by: Option<i64>,
    per_account: u64,
    open: bool,
}

/// A coupon that was loaded.
#[derive(Clone)]
struct Loaded {
    account: u64,
    offer: String,
    merchant: String,
    credit: i64,
    at: i64,
    redeem_by: i64,
    /// The card on which its account takes it to be.
    card: String,
}

/// Everybody's cards and coupons.
pub struct Wallets {
    rng: Rng,
    coupons: Vec<Coupon>,
    cards: BTreeMap<u64, String>,
    loaded: Vec<Loaded>,
    /// The newest payments.
    paid: Vec<Slip>,
    next_wish: i64,
    pub promises: Vec<Credit>,
}

impl Wallets {
    pub fn new(seed: u64) -> Wallets {
        let mut rng = Rng::with_seed(seed ^ 0xCA2D);
        let mut coupon =
            |(id, merchant, credit, min_spend), redeem_by: Option<(i64, i64)>, per_account| Coupon {
                id: String::from(id),
                hashtag: format!("#Get{id}"),
                version: 1,
                merchant,
                credit,
                min_spend,
                redeem_by: redeem_by.map(|(days, most)| START + days * DAY + rng.i64(20_000..most)),
                per_account,
                open: true,
            };
        let coupons = vec![
            coupon(("tea", "m-1", 500, Some(2_000)), None, 1),
            coupon(("jam", "m-2", 900, None), Some((20, 30_000)), 2),
            // These end while people pay.
            coupon(("oat", "m-1", 300, Some(1_000)), Some((0, 120_000)), 1),
            coupon(("fig", "m-3", 2_000, Some(3_000)), Some((0, 170_000)), 1),
            // The last moment of these is over: they expire soon, or are forgotten soon.
            coupon(("nut", "m-2", 700, Some(0)), Some((-7, 120_000)), 2),
            coupon(("old", "m-3", 100, None), Some((-30, 120_000)), 3),
        ];
        let card = |id: u64| (id, if id >= 204 { "tok-shared".to_owned() } else { format!("tok-{id}") });
        Wallets {
            rng,
            coupons,
            cards: PLAIN.chain(ODD).map(card).collect(),
            loaded: Vec::new(),
            paid: Vec::new(),
            next_wish: 0,
            promises: Vec::new(),
        }
    }

    /// The card that is linked to an account.
    pub fn card(&self, account: u64) -> &str {
        &self.cards[&account]
    }

    /// All coupons, as the table of offers has them.
    pub fn offers(&self) -> Vec<Value> {
        self.coupons.iter().map(Coupon::json).collect()
    }

    /// Somebody does something, if it is time to. Returns who tweets what.
    pub fn turn(&mut self, now: i64, bank: &mut Bank) -> Option<(u64, String)> {
        if now < self.next_wish {
            return None;
        }
        self.next_wish = now + self.rng.i64(100..2_800);
        match self.rng.u32(0..20) {
            0..7 => return Some(self.wish(now, bank)),
            7..14 => self.pay(now, bank),
            _ => self.pay_back(now, bank),
        }
        None
    }

    /// Somebody wants a coupon, and may have used it before it is there.
    fn wish(&mut self, now: i64, bank: &mut Bank) -> (u64, String) {
        let account = match self.rng.u32(0..20) {
            0..9 => self.rng.u64(PLAIN),
            9..19 => self.rng.u64(ODD),
            _ => 777, // a stranger
        };
        let (one, other) = (self.rng.usize(0..self.coupons.len()), self.rng.usize(0..self.coupons.len()));
        let tag = self.coupons[one].hashtag.clone();
        if self.rng.u32(0..4) == 0 && self.cards.contains_key(&account) {
            let (merchant, amount) = (self.coupons[one].merchant.to_owned(), self.rng.i64(0..2 * PLENTY));
            let at = now + self.rng.i64(-2..300);
            let slip = Slip::payment(bank.id(), self.card(account), merchant, amount, at);
            self.tell(now, bank, slip);
        }
        let text = match self.rng.u32(0..8) {
            0 => format!("{tag} {}", self.coupons[other].hashtag),
            1 => format!("#GetPot {tag}"),
            _ => tag,
        };
        (account, text)
    }

    /// Somebody pays, mostly with a card that has a coupon, and often just enough or nearly so.
    fn pay(&mut self, now: i64, bank: &mut Bank) {
        let Some(loaded) = self.some_loaded() else { return };
        let mut slip = self.payment(now, bank, &loaded);
        if self.rng.u32(0..8) == 0 {
            slip.card = self.rng.choice(self.cards.values()).unwrap().clone();
        }
        if self.rng.u32(0..10) == 0 {
            slip.merchant = (*self.rng.choice(&MERCHANTS).unwrap()).to_owned();
        }
        if self.rng.u32(0..25) == 0 {
            slip.currency = "EUR";
        }
        self.tell(now, bank, slip);
    }

    /// Mostly a new one.
    fn some_loaded(&mut self) -> Option<Loaded> {
        let newest = self.loaded.len().saturating_sub(if self.rng.bool() { 4 } else { 40 });
        self.rng.choice(&self.loaded[newest..]).cloned()
    }

    fn payment(&mut self, now: i64, bank: &mut Bank, loaded: &Loaded) -> Slip {
        let min_spend = self.coupons.iter().find(|coupon| coupon.id == loaded.offer);
        let least = min_spend.and_then(|coupon| coupon.min_spend).unwrap_or(1);
        let amounts = [least, least, least + 7, loaded.credit, loaded.credit - 1, least - 1, 0, PLENTY];
        let amount = (*self.rng.choice(&amounts).unwrap()).max(0);
        let times = [now, now, now, loaded.at, loaded.redeem_by];
        let at = *self.rng.choice(&times).unwrap() + *self.rng.choice(&[0, 0, 0, -1, 1]).unwrap();
        Slip::payment(bank.id(), &loaded.card, loaded.merchant.clone(), amount, at.min(now + 1))
    }

    /// All or a part of a payment comes back, sometimes before the payment itself.
    fn pay_back(&mut self, now: i64, bank: &mut Bank) {
        let newest = self.paid.len().saturating_sub(6);
        let mut payment = self.rng.choice(&self.paid[newest..]).cloned();
        let is_first = payment.is_none() || self.rng.u32(0..4) == 0;
        if is_first && let Some(loaded) = self.some_loaded() {
            payment = Some(self.payment(now, bank, &loaded));
        }
        let Some(payment) = payment else { return };
        let paid = payment.amount;
        let parts = if self.rng.bool() { 1 } else { 3 };
        for _ in 0..parts {
            let amounts = [paid, paid, paid / 2, paid - 2_000, paid - 1_999, 1];
            let amount = (*self.rng.choice(&amounts).unwrap()).max(0);
            let refund = Slip { id: bank.id(), of: Some(payment.id.clone()), amount, ..payment.clone() };
            bank.tell(now, &Slip { at: now, ..refund });
        }
        if is_first {
            let later = now + self.rng.i64(0..8_000);
            self.tell(later, bank, payment);
        }
    }

    fn tell(&mut self, earliest: i64, bank: &mut Bank, payment: Slip) {
        bank.tell(earliest, &payment);
        self.paid.push(payment);
    }

    /// Somebody reads that a coupon is there.
    pub fn hear(&mut self, now: i64, event: &Value, bank: &mut Bank) {
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        let time = |name: &str| text(name).parse::<Time>().unwrap().millis();
        let account: u64 = text("account_id").parse().unwrap();
        let (offer, merchant, card) = (text("offer_id"), text("merchant_id"), self.cards[&account].clone());
        let credit = event["credit"]["amount"].as_i64().unwrap();
        let (at, redeem_by) = (time("at"), time("redeem_by"));
        let loaded = Loaded { account, offer, merchant, credit, at, redeem_by, card };
        self.loaded.push(loaded.clone());
        let soon = now + self.rng.i64(0..6_000);
        if PLAIN.contains(&account) && soon <= redeem_by && self.rng.u32(0..10) < 6 {
            self.pay_well(soon, &loaded, bank);
        }
    }

    /// Somebody does all that is asked for.
    fn pay_well(&mut self, at: i64, loaded: &Loaded, bank: &mut Bank) {
        let slip = Slip::payment(bank.id(), &loaded.card, loaded.merchant.clone(), PLENTY, at);
        self.promises.push(Credit {
            account: loaded.account.to_string(),
            offer: loaded.offer.clone(),
            payment: slip.id.clone(),
            at,
            until: loaded.redeem_by + SETTLEMENT,
        });
        self.tell(at, bank, slip);
    }

    /// A card is replaced: by a new one, an old one, or one that others have too.
    pub fn replace_card(&mut self, account: u64) {
        let (first, second) = (format!("tok-{account}"), format!("tok-{account}-b"));
        let card = self.rng.choice([first, second, "tok-shared".to_owned()]).unwrap();
        self.cards.insert(account, card);
    }

    /// Something happens to a coupon. Returns the records, and says what.
    pub fn meddle(&mut self) -> (Vec<Value>, String) {
        let number = self.rng.usize(0..self.coupons.len());
        let (change, more) = (self.rng.u32(0..6), self.rng.i64(-200..200));
        let coupon = &mut self.coupons[number];
        coupon.version += 1;
        match change {
            0 if coupon.open => coupon.open = false,
            _ if !coupon.open => coupon.open = true,
            1 => coupon.credit += more,
            2 => coupon.min_spend = coupon.min_spend.map(|least| (least + more).max(0)),
            3 => coupon.per_account = 3,
            _ => return self.another(number),
        }
        coupon.credit = coupon.credit.max(1);
        (vec![coupon.json()], coupon.show())
    }

    /// A coupon is withdrawn, and another one comes for it, that no card has yet.
    fn another(&mut self, number: usize) -> (Vec<Value>, String) {
        let coupon = &mut self.coupons[number];
        coupon.open = false;
        let gone = coupon.json();
        let name = format!("{}{}", &coupon.id[..3], coupon.version);
        (coupon.id, coupon.hashtag, coupon.open) = (name.clone(), format!("#Get{name}"), true);
        (vec![gone, coupon.json()], format!("{} comes for another one", coupon.show()))
    }
}

impl Coupon {
    fn json(&self) -> Value {
        let usd = |amount: i64| json!({"amount": amount, "currency": "USD"});
        let mut offer = json!({
            "offer_id": self.id, "version": self.version, "kind": "coupon", "hashtag": self.hashtag,
            "status": if self.open { "open" } else { "withdrawn" }, "product": self.id,
            "merchant_id": self.merchant, "credit": usd(self.credit), "per_account": self.per_account,
            "starts_at": "2013-01-01T00:00:00.000Z", "ends_at": "2013-12-31T00:00:00.000Z",
        });
        if let Some(least) = self.min_spend {
            offer["min_spend"] = usd(least);
        }
        if let Some(by) = self.redeem_by {
            offer["redeem_by"] = json!(Time::from_millis(by).to_string());
        }
        offer
    }

    fn show(&self) -> String {
        let Coupon { id, version, open, credit, min_spend, .. } = self;
        format!("coupon {id} version {version}: open {open}, credit {credit}, from {min_spend:?}")
    }
}
