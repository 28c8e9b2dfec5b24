//! What is sold of the offers: for whoever watches, nothing is decided by it.

use super::State;
use crate::core::desk::changelog::{Told, Units};
use crate::core::desk::stock::Stock;

impl State {
    /// What is sold of each offer that this partition knows something of, as it is committed.
    pub fn units(&self) -> Vec<Units> {
        known(&self.stocks, &self.told)
    }

    /// The same of those offers that the open transaction has changed.
    pub fn changed_units(&self) -> Vec<Units> {
        known(&self.open.stocks, &self.open.told)
    }
}

fn known<'s>(
    stocks: impl IntoIterator<Item = (&'s String, &'s Stock)>,
    told: impl IntoIterator<Item = (&'s String, &'s Told)>,
) -> Vec<Units> {
    let stocks = stocks.into_iter().map(|(offer_id, stock)| (offer_id, stock.sold_units(), true));
    let told = told.into_iter();
    let told = told.filter_map(|(offer_id, told)| Some((offer_id, told.sold_out?.sold, false)));
    let unit =
        |(offer_id, sold, by_stock): (&String, _, _)| Units { offer_id: offer_id.clone(), sold, by_stock };
    stocks.chain(told).map(unit).collect()
}
