//! The parts alone, and the desk alone.

use super::Run;
use super::site::Site;
use crate::command::{Error, load, now};
use crate::load::desk::Requests;
use crate::load::parts::{Figures, Part};
use crate::load::report::DeskPass;

/// Partitions of the inbox.
const INBOX: u32 = 8;
/// Passes of the desk.
const ROUNDS: usize = 3;

/// Passes, and parts.
pub fn steps(run: &Run) -> u64 {
    if run.scale == 0.0 { 0 } else { ROUNDS as u64 + Part::ALL.len() as u64 }
}

/// Each part in a process of its own.
///
/// # Errors
/// If one does not end well.
pub fn parts(run: &Run, site: &Site<'_>) -> Result<Figures, Error> {
    let mut all = Figures::new();
    for part in Part::ALL {
        site.progress().doing(format_args!("{} alone", part.as_str()));
        let figures = load::parts::apart(&[part], run.scale, run.core, site.folder(), &mut |_| {})?;
        site.progress().done(format_args!("{} alone: measured", part.as_str()));
        all.extend(figures);
    }
    Ok(all)
}

/// The desk, each time on an inbox of its own.
///
/// # Errors
/// If anything cannot be made or written, or the desk does not keep running.
pub fn desk(run: &Run, site: &mut Site<'_>, passes: &mut Vec<DeskPass>) -> Result<(), Error> {
    let requests = ((REQUESTS as f64 * run.scale) as u64).max(1_000);
    for number in 0..ROUNDS {
        let part = format!("desk{number}");
        site.progress().doing(format_args!("the desk alone, {requests} requests"));
        let topics = site.topics(&part, (1, INBOX))?;
        let measured = site.measured(&topics, &part, 1);
        let how = measured.service("desk", "0");
        let requests = Requests::new(&**site.log(), &topics, INBOX, requests);
        let pass = requests.decide(&how, &format!("{}-desk", measured.app), now())?;
        site.progress().done(format_args!(
            "desk {}/{ROUNDS}: {:.0} sightings a second, {:.0} for each second of the processor",
            number + 1,
            pass.per_second(),
            pass.per_cpu_second()
        ));
        passes.push(pass);
        for topic in [&topics.inbox, &topics.changelog, &topics.purchases] {
            site.delete(topic)?;
        }
    }
    Ok(())
}

/// Requests of a pass, for a scale of 1.
const REQUESTS: u64 = 300_000;
