//! Whether the inbox and the changelog are those of the state, before a process starts on them.

use crate::command::Error;
use crate::log::{Isolation, Kind, Log, Lookup, Partition};
use crate::operate::offsets::{newest_records, partitions};
use crate::operate::{Unable, patiently};
use crate::service::Stage;
use crate::worker::Topics;
use crate::worker::needs::Misfit;

/// Compares the number of inbox partitions with the one that the state was made with. Both stages go by it: a
/// scan that did not would hand records to partitions that know nothing of their accounts.
///
/// # Errors
/// If it is another, or the state is not here at all.
pub fn check(log: &dyn Log, app: &str, topics: &Topics, stage: Stage) -> Result<(), Error> {
    let mut lookup = log.lookup().map_err(Error::failed)?;
    match patiently(|| lookup.partitions(&topics.changelog)) {
        Ok(None) => return Ok(()), // a scan without a desk; the desk has been told that it is missing
        // A scan needs no rights on the changelog.
        Err(error) if stage == Stage::Scan && error.kind == Kind::Fatal => return Ok(()),
        found => found.map_err(Error::failed)?,
    };
    let used = partitions(log, topics).map_err(Error::failed)?;
    let used = u32::try_from(used.len()).unwrap_or(u32::MAX);
    // Any partition that was there from the start knows it.
    let first = Partition::new(topics.changelog.as_str(), 0);
    let says = match newest_records(log, &[first]) {
        Err(Unable::Log(error)) if stage == Stage::Scan && error.kind == Kind::Fatal => return Ok(()),
        says => says.map_err(Error::failed)?.into_iter().next().flatten(),
    };
    match says.map(|(_, state)| state.partitions) {
        Some(Some(was)) if was != used => Err(Error::failed(Misfit::grown(&topics.inbox, used, was))),
        Some(_) => Ok(()),
        None if is_elsewhere(&mut *lookup, app, topics, used)? => {
            let Topics { inbox, changelog, .. } = topics;
            Err(Error::Failed(format!(
                "{inbox} and {changelog} are new, but this app has read its tables already: its state is elsewhere. If it \
                 is to move, run `hashbuy desk import FILE` first; if these are the wrong topics, mend topics.inbox and \
                 topics.changelog; to begin with nothing take another `app`"
            )))
        }
        None => Ok(()),
    }
}

/// Whether nothing stands in the inbox although what is in the tables was fed into one: then that was another.
fn is_elsewhere(lookup: &mut dyn Lookup, app: &str, topics: &Topics, used: u32) -> Result<bool, Error> {
    for number in 0..used {
        let inbox = Partition::new(topics.inbox.as_str(), number);
        // Also an inbox whose records were deleted by age has ends that are not 0.
        let bounds = patiently(|| lookup.watermarks(&inbox, Isolation::Uncommitted));
        if bounds.map_err(Error::failed)?.1 > 0 {
            return Ok(false);
        }
    }
    for table in [&topics.offers, &topics.accounts] {
        let count = match patiently(|| lookup.partitions(table)) {
            // A desk needs no rights on the tables, nor on the group that reads them.
            Err(error) if error.kind == Kind::Fatal => return Ok(false),
            count => count.map_err(Error::failed)?.unwrap_or(0),
        };
        let partitions: Vec<Partition> = (0..count).map(|n| Partition::new(table.as_str(), n)).collect();
        let fed = match patiently(|| lookup.committed(&format!("{app}-tables"), &partitions)) {
            Err(error) if error.kind == Kind::Fatal => return Ok(false),
            fed => fed.map_err(Error::failed)?,
        };
        if fed.iter().flatten().any(|committed| committed.offset > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}
