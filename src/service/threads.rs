//! What each thread does: it makes its worker, and calls its turns until the process is to end.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing::debug;

use super::Notice;
use super::crew::Common;
use crate::worker::Stop;
use crate::worker::desk::{DeskOptions, DeskWorker, Done, Note, State};
use crate::worker::feeder::{FeederOptions, FeederWorker};
use crate::worker::keeper::{Keeper, KeeperOptions};
use crate::worker::needs::{self, By};
use crate::worker::scan::{ScanOptions, ScanWorker};

/// How long a worker waits for something to come, before it looks whether it is to end.
const WAIT: Duration = Duration::from_millis(100);
/// A worker that cannot begin, because of something that passes, tries for so long.
const BEGIN: Duration = Duration::from_secs(60);
/// While a restore lasts, it says so once in so long.
const PROGRESS: Duration = Duration::from_secs(10);

/// Makes a worker; what passes is waited for. None if the process is to end.
fn begin<W>(common: &Common, mut make: impl FnMut() -> Result<W, Stop>) -> Result<Option<W>, Stop> {
    let until = Instant::now() + BEGIN;
    loop {
        match make() {
            Ok(worker) => return Ok(Some(worker)),
            Err(stop) if stop.passes() && Instant::now() < until => {}
            Err(stop) => return Err(stop),
        }
        if common.is_ending() {
            return Ok(None);
        }
        std::thread::sleep(WAIT);
    }
}

/// The topics are looked at once in so long.
const LOOK: Duration = Duration::from_secs(5);
/// A broker that was just started may not know all topics yet: what is wrong has to be seen so often in a row.
const LOOKS: usize = 3;

/// Looks whether the topics are still there. A worker takes what it is told of a topic that was deleted for trouble
/// that passes, if it is told anything, and would try again for ever.
pub(super) fn topics(common: &Common, by: By) -> Result<(), Stop> {
    let (mut looked, mut seen, mut lookup) = (Instant::now(), 0, None);
    while !common.is_ending() {
        std::thread::sleep(Duration::from_millis(50));
        if looked.elapsed() < LOOK {
            continue;
        }
        looked = Instant::now();
        if lookup.is_none() {
            lookup = common.log.lookup().ok();
        }
        let Some(lookup) = &mut lookup else { continue };
        match needs::check_presence(&mut **lookup, &common.config.service.topics, by) {
            Err(Stop::Topics(_)) if seen + 1 < LOOKS => seen += 1,
            Err(stop @ Stop::Topics(_)) => return Err(stop),
            _ => seen = 0,
        }
    }
    Ok(())
}

/// A desk worker. One that is killed is dropped as it stands, and another takes its place.
pub(super) fn desk(common: &Common, number: u32, kill: &AtomicBool) -> Result<(), Stop> {
    let service = &common.config.service;
    let options = DeskOptions {
        app: service.app.clone(),
        instance: format!("{}-{number}", service.instance),
        topics: service.topics.clone(),
        secret: common.secret.clone(),
        patience: common.patience,
    };
    let make = || DeskWorker::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    loop {
        let Some(mut worker) = begin(common, make)? else { return Ok(()) };
        let mut said = Instant::now();
        while !common.is_ending() && !kill.load(Ordering::Acquire) {
            let turned = worker.turn(WAIT);
            let done = worker.take_done();
            say_restored(common, number, &done);
            log(number, &done);
            let state = worker.state();
            match state.restoring {
                Some(restoring) if said.elapsed() >= PROGRESS => {
                    said = Instant::now();
                    common.say(Notice::StillRestoring { desk: number, restoring });
                }
                None => said = Instant::now(),
                Some(_) => {}
            }
            common.status.desk(number, &done, worker.partitions(), state, common.clock.now());
            turned?;
        }
        let is_killed = kill.swap(false, Ordering::AcqRel);
        if !is_killed || common.is_ending() {
            let state = worker.state();
            let (done, remains) = worker.leave()?;
            // The system takes the memory of a process back at once.
            std::mem::forget(remains);
            common.status.desk(number, &done, std::iter::empty(), state, common.clock.now());
            return Ok(());
        }
        let open = worker.has_open();
        drop(worker);
        // Nobody has its partitions until they are restored.
        let nothing = (Done::default(), State::default());
        common.status.desk(number, &nothing.0, std::iter::empty(), nothing.1, common.clock.now());
        common.say(Notice::Killed { desk: number, open });
    }
}

fn say_restored(common: &Common, desk: u32, done: &Done) {
    let mut notes = done.restores.iter();
    if let Some(&Note::Begins(restoring)) = notes.clone().find(|note| matches!(note, Note::Begins(_))) {
        common.say(Notice::Restoring { desk, restoring });
    }
    for &back in &done.restored {
        common.say(Notice::Restored { desk, back });
    }
    if let Some(&Note::Ends(restoring, millis)) = notes.find(|note| matches!(note, Note::Ends(..))) {
        common.say(Notice::AllRestored { desk, restoring, millis });
    }
}

/// What was decided, for whoever looks for a fault.
fn log(desk: u32, done: &Done) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    for event in &done.events {
        debug!(
            desk,
            account = event.account_id.get(),
            purchase = event.purchase_id.map(tracing::field::display),
            offer = event.offer_id,
            at = %event.at,
            event = %event.event_id,
            "{}",
            event.kind.as_str()
        );
    }
    for (cause, times) in &done.aborted {
        debug!(desk, cause = cause.as_str(), times, "transaction aborted");
    }
}

/// A scan worker.
pub(super) fn scan(common: &Common, number: u32) -> Result<(), Stop> {
    // The desk has to know who is linked before it sees what they tweet.
    while !common.fed.load(Ordering::Acquire) {
        if common.is_ending() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let config = &common.config;
    let options = ScanOptions {
        app: config.service.app.clone(),
        topics: config.service.topics.clone(),
        code_prefix: config.settings.code_prefix.clone(),
        ignored: config.scan.ignore_authors.iter().copied().collect::<HashSet<_>>(),
        strangers_per_second: config.service.strangers_per_second,
        max_record_bytes: config.input.max_record_bytes,
    };
    let make = || ScanWorker::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    let Some(mut worker) = begin(common, make)? else { return Ok(()) };
    common.say(Notice::Reading { scan: number, topic: options.topics.tweets.clone() });
    let mut kept = false;
    while !common.is_ending() {
        worker.turn(WAIT)?;
        common.status.scan(number, &worker.take_seen(), worker.state(), common.clock.now());
        if worker.keeps_time() != kept {
            kept = !kept;
            match kept {
                true => common.keeps_time.fetch_add(1, Ordering::AcqRel),
                false => common.keeps_time.fetch_sub(1, Ordering::AcqRel),
            };
        }
    }
    if kept {
        common.keeps_time.fetch_sub(1, Ordering::AcqRel);
    }
    let state = worker.state();
    common.status.scan(number, &worker.leave()?, state, common.clock.now());
    Ok(())
}

/// The feeder.
pub(super) fn feeder(common: &Common) -> Result<(), Stop> {
    let config = &common.config;
    let options = FeederOptions {
        app: config.service.app.clone(),
        topics: config.service.topics.clone(),
        code_prefix: config.settings.code_prefix.clone(),
        epoch: config.service.epoch,
    };
    let make = || FeederWorker::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    let Some(mut worker) = begin(common, make)? else { return Ok(()) };
    while !common.is_ending() {
        worker.turn(WAIT)?;
        let fed = worker.take_fed();
        let before = common.fed.load(Ordering::Acquire);
        let has_passed = before || worker.has_passed_the_start()?;
        common.status.feeder(&fed, has_passed, worker.trouble(), common.clock.now());
        for (place, rejection) in fed.rejected {
            common.say(Notice::Rejected { place, rejection });
        }
        if has_passed && !before {
            common.fed.store(true, Ordering::Release);
            common.say(Notice::TablesFed);
        }
    }
    worker.leave().map(|_| ())
}

/// The time keeper.
pub(super) fn keeper(common: &Common) -> Result<(), Stop> {
    let config = &common.config;
    let options = KeeperOptions {
        app: config.service.app.clone(),
        topics: config.service.topics.clone(),
        settings: config.settings.clone().into(),
        silence: config.service.silence,
    };
    let make = || Keeper::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    let Some(mut keeper) = begin(common, make)? else { return Ok(()) };
    while !common.is_ending() {
        if common.keeps_time.load(Ordering::Acquire) > 0 {
            if let Some(holds) = keeper.turn()? {
                common.status.time_holds(holds);
            }
            common.status.fed(&keeper.take_fed());
            let scanned = keeper.take_scanned();
            common.status.keeper(Some(&scanned), keeper.trouble(), common.clock.now());
        } else {
            common.status.keeper(None, None, common.clock.now());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
