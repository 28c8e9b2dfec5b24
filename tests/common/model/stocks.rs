//! The stock of an offer: the one writer of what was submitted to it.

use hashbuy::core::inbox::Confirmation;
use hashbuy::core::offer::Offer;
use serde_json::json;

use super::{Circumstances, Output, written};

#[derive(Default)]
pub struct Stock {
    /// The newest version seen, with its stock.
    newest: Option<(u64, u64)>,
    sold: u64,
}

impl Stock {
    /// A record of the offer, with a stock.
    pub fn recorded(&mut self, offer: &Offer, out: &mut Vec<Output>) {
        self.see(offer);
        self.tell(&offer.offer_id, out);
    }

    /// A confirmation that wants a unit.
    pub fn submitted(&mut self, wanted: &Confirmation, with: &Circumstances, out: &mut Vec<Output>) {
        self.see(&wanted.offer);
        let confirmed = self.newest.is_none_or(|(_, stock)| self.sold < stock);
        if confirmed {
            self.sold += 1;
            out.push(Output::Event(written::confirmed(wanted)));
            out.push(Output::Order(written::order(wanted)));
        } else {
            out.push(Output::Event(written::sold_out(wanted, with.desk_time)));
        }
        out.push(Output::Message(json!({
            "type": "answer",
            "account": wanted.account.to_string(),
            "purchase_id": wanted.purchase_id.to_string(),
            "confirmed": confirmed,
        })));
        if confirmed {
            self.tell(&wanted.offer.offer_id, out);
        }
    }

    /// A unit went under a version without a stock.
    pub fn sold(&mut self, offer_id: &str, out: &mut Vec<Output>) {
        self.sold += 1;
        self.tell(offer_id, out);
    }

    fn see(&mut self, offer: &Offer) {
        if let Some(stock) = offer.stock
            && self.newest.is_none_or(|(version, _)| offer.version >= version)
        {
            self.newest = Some((offer.version, stock));
        }
    }

    fn tell(&self, offer_id: &str, out: &mut Vec<Output>) {
        if let Some((version, stock)) = self.newest
            && self.sold >= stock
        {
            out.push(Output::Message(json!({
                "type": "sold_out", "offer_id": offer_id, "version": version, "sold": self.sold,
            })));
        }
    }
}
