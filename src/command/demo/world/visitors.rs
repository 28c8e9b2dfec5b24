//! The world as visitors of the page see it, and what they do to it.

use super::super::guests::{Guests, Wanted};
use super::super::scene::INBOX;
use super::World;
use crate::command::Error;
use crate::web::stand::Keeper;

impl World {
    /// Lets the visitors of a stand in.
    pub fn invite(&mut self, keeper: Keeper) {
        self.guests = Some(Guests::new(keeper, &self.scene.config.settings.code_prefix));
    }

    /// Does what visitors want.
    ///
    /// # Errors
    /// Those of the log.
    pub fn oblige(&mut self) -> Result<(), Error> {
        let now = self.now();
        while let Some(wanted) = self.guests.as_mut().and_then(|guests| guests.wanted(now)) {
            match wanted {
                Wanted::Tweet(said) => self.player.tweet(&said).map_err(Error::failed)?,
                Wanted::Kill => self.kill(),
            }
        }
        Ok(())
    }

    /// Puts what is pending into the metrics, and how the desk workers are onto the page.
    pub fn publish(&self) {
        self.status.publish();
        if let Some(guests) = &self.guests {
            let restoring = INBOX - self.glance().partitions.min(INBOX);
            guests.figures(self.kills, self.biller.ledger.doubles, restoring);
        }
    }
}
