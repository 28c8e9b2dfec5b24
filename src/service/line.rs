//! How it goes, in one line for the log.

use std::fmt::Write as _;
use std::time::Instant;

use super::Status;
use super::status::lag;

impl Status {
    /// One line without the time of day, and the counts of rates begin anew.
    pub fn line(&self) -> String {
        let mut shared = self.shared();
        let (since, records, bytes) = shared.shown;
        let seconds = since.elapsed().as_secs_f64().max(0.001);
        let records = (shared.records - records) as f64 / seconds;
        let bytes = (shared.bytes - bytes) as f64 / seconds / 1e6;
        let all = shared.desks.values().flat_map(|desk| desk.partitions.iter().map(|part| (part, desk.now)));
        let pending: usize = all.clone().map(|((_, pendings, _), _)| pendings.count()).sum();
        // A process with one stage says nothing of the other, which it does not know.
        let (scans, desks) = (!shared.posts.scans.is_empty(), !shared.posts.desks.is_empty());
        let mut line = String::new();
        if scans {
            let _ = write!(line, "{records:.0} tweets/s, {bytes:.1} MB/s");
        }
        if desks {
            let _ = write!(line, "{}pending {pending}", if scans { "; " } else { "" });
            for (kind, count) in &shared.events {
                let _ = write!(line, ", {} {count}", kind.trim_start_matches("purchase."));
            }
            match lag(all.clone()) {
                Some(lag) => {
                    let _ = write!(line, "; desk time {:.1} s behind", lag as f64 / 1_000.0);
                }
                None if all.count() == 0 => {}
                None => line.push_str("; no desk time yet"),
            }
        }
        if let Some(holds) = shared.holds() {
            let _ = write!(line, ", and time stands: {holds}");
        }
        if desks {
            let _ = write!(line, "; {} commits, {} aborts", shared.commits, shared.aborts);
        }
        shared.shown = (Instant::now(), shared.records, shared.bytes);
        line
    }
}
