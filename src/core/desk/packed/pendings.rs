//! The pendings of one account. Their offers stand first, as numbers: whoever only wants to know which these are
//! need not read on.

use std::sync::Arc;

use uuid::Uuid;

use super::{Reader, Writer, as_it_was, time_of};
use crate::core::desk::pending::Pending;
use crate::core::ids::TweetId;
use crate::core::offer::Offer;

/// Whom a reply addresses: nobody, whom the one to the pending before does, or a text whose length is two less.
const NOBODY: u64 = 0;
const SAME: u64 = 1;
const TEXT: u64 = 2;

/// Packs pendings, and returns them; what the writer had before is gone. `number` is what stands for an offer.
pub(in crate::core::desk) fn pack_pendings<'w>(
    writer: &'w mut Writer,
    pendings: &[Pending],
    mut number: impl FnMut(&Arc<Offer>) -> u32,
) -> &'w [u8] {
    writer.0.clear();
    writer.list(pendings, |writer, pending| writer.number(u64::from(number(&pending.offer))));
    let mut before = None;
    for pending in pendings {
        write(writer, pending, before);
        before = pending.to.as_deref();
    }
    &writer.0
}

/// The offers of packed pendings, by their numbers.
pub(in crate::core::desk) fn offers_of(packed: &[u8]) -> impl Iterator<Item = u32> {
    let mut reader = Reader(packed);
    let count = as_it_was(reader.number());
    (0..count).map(move |_| as_it_was(number(&mut reader)))
}

/// Unpacks pendings. `offer` knows which one a number stands for.
pub(in crate::core::desk) fn unpack_pendings(
    packed: &[u8],
    offer: impl Fn(u32) -> Option<Arc<Offer>>,
) -> Option<Vec<Pending>> {
    let mut reader = Reader(packed);
    let offers = reader.list(|reader| offer(number(reader)?))?;
    let mut pendings: Vec<Pending> = Vec::with_capacity(offers.len());
    for offer in offers {
        let before = pendings.last().and_then(|pending| pending.to.as_deref());
        let pending = read(&mut reader, offer, before)?;
        pendings.push(pending);
    }
    Some(pendings)
}

fn number(reader: &mut Reader<'_>) -> Option<u32> {
    u32::try_from(reader.number()?).ok()
}

fn write(writer: &mut Writer, pending: &Pending, before: Option<&str>) {
    // By name, so that none is forgotten.
    let Pending { purchase_id, code, offer: _, offer_tweet, version, .. } = pending;
    let Pending { issued_at, deadline, reminded_at, to, .. } = pending;
    writer.bytes(purchase_id.as_bytes());
    writer.code(*code);
    writer.tweet(*offer_tweet);
    writer.id_beside(version.get(), offer_tweet.get());
    writer.time(*issued_at, time_of(*version));
    writer.time(*deadline, *issued_at);
    writer.time(*reminded_at, time_of(*version));
    match to.as_deref() {
        None => writer.number(NOBODY),
        to if to == before => writer.number(SAME),
        Some(to) => {
            writer.number(to.len() as u64 + TEXT);
            writer.bytes(to.as_bytes());
        }
    }
}

fn read(reader: &mut Reader<'_>, offer: Arc<Offer>, before: Option<&str>) -> Option<Pending> {
    let purchase_id = Uuid::from_bytes(reader.array()?);
    let code = reader.code()?;
    let offer_tweet = reader.tweet()?;
    let version = TweetId::new(reader.id_beside(offer_tweet.get())?)?;
    let issued_at = reader.time(time_of(version))?;
    let deadline = reader.time(issued_at)?;
    let reminded_at = reader.time(time_of(version))?;
    let to = match reader.number()? {
        NOBODY => None,
        SAME => before.map(str::to_owned),
        length => {
            let length = usize::try_from(length - TEXT).ok()?;
            Some(str::from_utf8(reader.bytes(length)?).ok()?.to_owned())
        }
    };
    Some(Pending { purchase_id, code, offer, offer_tweet, version, issued_at, deadline, reminded_at, to })
}
