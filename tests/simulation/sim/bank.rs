//! The card company: it says what was paid with which card, late, twice and out of order.

use fastrand::Rng;
use hashbuy::core::time::Time;
use hashbuy::log::Log;
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use super::stream::{Parcel, Stream, Told};

/// Cards of people who are not here.
const OTHER_CARDS: u64 = 16;

/// Writes the card transactions.
pub struct Bank {
    pub stream: Stream,
    rng: Rng,
    made: u64,
    noise_at: i64,
}

/// A payment, or a refund.
#[derive(Debug, Clone)]
pub struct Slip {
    pub id: String,
    pub card: String,
    pub merchant: String,
    /// In minor units.
    pub amount: i64,
    pub currency: &'static str,
    /// Its own time.
    pub at: i64,
    /// The payment, if it is a refund.
    pub of: Option<String>,
}

impl Slip {
    /// A payment in dollars.
    pub fn payment(id: String, card: &str, merchant: String, amount: i64, at: i64) -> Slip {
        Slip { id, card: card.to_owned(), merchant, amount, currency: "USD", at, of: None }
    }

    fn json(&self) -> Value {
        let mut slip = json!({
            "transaction_id": self.id, "card_token": self.card, "merchant_id": self.merchant,
            "amount": {"amount": self.amount, "currency": self.currency},
            "kind": if self.of.is_some() { "refund" } else { "payment" },
            "at": Time::from_millis(self.at).to_string(),
        });
        if let Some(of) = &self.of {
            slip["of"] = json!(of);
        }
        slip
    }
}

impl Bank {
    pub fn new(log: &dyn Log, seed: u64, partitions: u32) -> Bank {
        Bank {
            stream: Stream::new(log, "card-transactions", partitions),
            rng: Rng::with_seed(seed ^ 0xBA27),
            made: 0,
            noise_at: 0,
        }
    }

    /// An id for the next transaction.
    pub fn id(&mut self) -> String {
        self.made += 1;
        format!("transaction-{}", self.made)
    }

    /// Tells of a transaction, not before `earliest`.
    pub fn tell(&mut self, earliest: i64, slip: &Slip) {
        let mut deliver = earliest + self.rng.i64(0..400);
        if self.rng.u32(0..8) == 0 {
            deliver += self.rng.i64(0..20_000);
        }
        let entity = format!("card/{}", slip.card);
        let told = Some(Told { id: slip.id.clone(), entity, time: slip.at });
        let partition = self.partition(&slip.card);
        self.send(deliver, partition, slip, told);
        if self.rng.u32(0..7) == 0 {
            let again = deliver + *self.rng.choice(&[0, 50, 1_000, 5_000, 20_000, 70_000]).unwrap();
            let partition = self.partition(&slip.card);
            self.send(again, partition, slip, None);
        }
    }

    /// Mostly that of the card.
    fn partition(&mut self, card: &str) -> u32 {
        let partitions = self.stream.partitions();
        if self.rng.u32(0..8) == 0 {
            return self.rng.u32(0..partitions);
        }
        partition_of(card.as_bytes(), partitions)
    }

    fn send(&mut self, deliver: i64, partition: u32, slip: &Slip, told: Option<Told>) {
        let (key, bytes) = (Some(slip.card.clone().into_bytes()), slip.json().to_string().into_bytes());
        self.stream.send(deliver, Parcel { partition, key, bytes, time: Some(slip.at), told });
    }

    /// Tells what is due, and once in so long of what others have paid.
    pub fn turn(&mut self, now: i64, noise_every: i64) {
        if now >= self.noise_at + noise_every {
            self.noise_at = now;
            (0..self.stream.partitions()).for_each(|partition| self.noise(now, partition));
        }
        self.stream.turn(now);
    }

    /// Somebody has paid with a card that nobody here knows; now and then it cannot be read.
    fn noise(&mut self, now: i64, partition: u32) {
        let card = format!("tok-other-{}", self.rng.u64(0..OTHER_CARDS));
        let (id, amount) = (self.id(), self.rng.i64(0..9_000));
        let slip = Slip::payment(id, &card, "m-1".to_owned(), amount, now);
        if self.rng.u32(0..40) == 0 {
            let bytes = slip.json().to_string().replace("payment", "gift").into_bytes();
            self.stream.send(now, Parcel { partition, key: None, bytes, time: None, told: None });
        } else {
            let told = Told { id: slip.id.clone(), entity: format!("card/{}", slip.card), time: now };
            self.send(now, partition, &slip, Some(told));
        }
    }
}
