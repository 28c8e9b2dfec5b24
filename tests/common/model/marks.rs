//! Reading marks, which are many, and nearly all of one content: only their time is another.

use std::sync::Arc;

use hashbuy::core::inbox::{Corrupt, Inbox, decode};
use hashbuy::core::settings::Settings;
use hashbuy::core::time::Time;

/// Reads records of the inbox.
#[derive(Default)]
pub struct Marks {
    /// What stood behind the time of the last mark, and what it said.
    last: Vec<u8>,
    settings: Option<Arc<Settings>>,
}

/// Where the time of a mark ends, in its bytes; none if it is no mark.
pub fn end_of_mark_time(value: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(value.get(..80)?).ok()?;
    let (before, _) =
        head.split_once(r#","settings":"#).filter(|(before, _)| before.contains(r#""type":"mark""#))?;
    Some(before.len())
}

impl Marks {
    /// One record.
    ///
    /// # Errors
    /// If the desk could not read it either.
    pub fn read(&mut self, value: &[u8]) -> Result<Inbox, Corrupt> {
        let Some(end) = end_of_mark_time(value) else { return decode(value) };
        if let Some(settings) = self.settings.as_ref().filter(|_| value[end..] == self.last) {
            #[derive(serde::Deserialize)]
            struct Head {
                time: Time,
            }
            let head: Head = serde_json::from_slice(&[&value[..end], b"}"].concat())?;
            return Ok(Inbox::Mark { time: head.time, settings: Arc::clone(settings) });
        }
        let read = decode(value)?;
        if let Inbox::Mark { settings, .. } = &read {
            (self.last, self.settings) = (value[end..].to_vec(), Some(Arc::clone(settings)));
        }
        Ok(read)
    }
}
