//! The service under a constant rate: how long answers take, whether the books add up, and how it is ended and
//! started again meanwhile.

use std::time::{Duration, Instant};

use super::Run;
use super::site::Site;
use crate::books::audit::Audit;
use crate::command::Error;
use crate::command::load::drive::arrivals;
use crate::command::load::stencils;
use crate::core::event::EventKind;
use crate::load::Failed;
use crate::load::drive::{Beside, Driven, Driving, drive};
use crate::load::report::{Books, Latency, Restart, Sample};
use crate::load::rounds::Measured;
use crate::load::watched::Watched;
use crate::log::kafka::Codec;
use crate::worker::Topics;

/// Partitions of the inbox.
const INBOX: u32 = 8;
/// A service is ready within so long.
const READY: Duration = Duration::from_secs(60);
/// Between two samples of it.
const SAMPLE: Duration = Duration::from_millis(250);
/// What is not counted.
const WARM_UP: Duration = Duration::from_secs(5);
/// What is in the topics at the end is read within so long.
const READ: Duration = Duration::from_secs(60);

/// One drive, and the service that it drove.
struct Drove<T> {
    driven: Driven,
    beside: T,
    topics: Topics,
}

/// Drives, that with the restart among them.
pub fn steps(run: &Run) -> u64 {
    if run.rates.is_empty() { 0 } else { run.rates.len() as u64 + 1 }
}

/// Drives at each rate.
///
/// # Errors
/// If anything cannot be made, written or read, or the service does not keep running.
pub fn measure(
    run: &Run,
    site: &mut Site<'_>,
    books: &mut Books,
    all: &mut Vec<Latency>,
) -> Result<(), Error> {
    for rate in &run.rates {
        let rate = f64::from(*rate);
        let part = format!("drive{rate}");
        let drove = drive_one(run, site, &part, rate, &|measured, beside| {
            let mut service = measured;
            let mut samples = Vec::new();
            while !beside.is_over() {
                samples.extend(service.sample(beside.began));
                std::thread::sleep(SAMPLE);
            }
            Ok((service, samples))
        })?;
        let (service, samples): (Watched, Vec<Sample>) = drove.beside;
        let heard = &drove.driven.heard;
        site.progress().done(format_args!(
            "{rate} a second: {:.0} sent; purchase.requested after {} ms (p50), {} ms (p99); {} without an answer",
            drove.driven.reached,
            millis(heard.requested.at(50.0)),
            millis(heard.requested.at(99.0)),
            drove.driven.unanswered,
        ));
        service.stop()?;
        all.push(Latency {
            rate,
            reached: drove.driven.reached,
            seconds: run.lasts.as_secs_f64(),
            requested: heard.requested.clone(),
            confirmed: heard.confirmed.clone(),
            unanswered: drove.driven.unanswered,
            samples,
        });
        close(site, &part, &drove.topics, drove.driven, books)?;
    }
    Ok(())
}

/// Ends the service and starts it again while tweets come at the middle one of the rates.
///
/// # Errors
/// As [`measure`].
pub fn restart(run: &Run, site: &mut Site<'_>, books: &mut Books) -> Result<Option<Restart>, Error> {
    let mut rates = run.rates.clone();
    rates.sort_unstable();
    let Some(rate) = rates.get(rates.len() / 2) else { return Ok(None) };
    let part = "restart";
    let half = WARM_UP + run.lasts / 2;
    let again = |service: Watched, beside: &Beside, how: &Measured| {
        std::thread::sleep(half.saturating_sub(beside.began.elapsed()));
        let ended_after = service.stop()?;
        let began = Instant::now();
        let mut service = Watched::start(&how.service("all", "0"))?;
        service.await_ready(READY)?;
        Ok((service, ended_after, began.elapsed()))
    };
    let drove = drive_with(run, site, part, f64::from(*rate), &again)?;
    let (service, ended_after, ready_after) = drove.beside;
    service.stop()?;
    let restart = Restart {
        ended_after: ended_after.as_secs_f64(),
        ready_after: ready_after.as_secs_f64(),
        without_events: drove.driven.heard.without_events,
    };
    site.progress().done(format_args!(
        "restart: ended after {:.2} s, ready after {:.2} s, {:.2} s without events",
        restart.ended_after, restart.ready_after, restart.without_events
    ));
    close(site, part, &drove.topics, drove.driven, books)?;
    Ok(Some(restart))
}

fn drive_one<T: Send>(
    run: &Run,
    site: &mut Site<'_>,
    part: &str,
    rate: f64,
    beside: &(impl Fn(Watched, &Beside) -> Result<T, Failed> + Sync),
) -> Result<Drove<T>, Error> {
    drive_with(run, site, part, rate, &|service, while_it, _: &Measured| beside(service, while_it))
}

/// Drives a service on topics of its own.
fn drive_with<T: Send>(
    run: &Run,
    site: &mut Site<'_>,
    part: &str,
    rate: f64,
    beside: &(impl Fn(Watched, &Beside, &Measured) -> Result<T, Failed> + Sync),
) -> Result<Drove<T>, Error> {
    site.progress().doing(format_args!("{part}: {rate} tweets a second"));
    let topics = site.topics(part, (run.partitions, INBOX))?;
    let measured = site.measured(&topics, part, 1);
    let mut service = Watched::start(&measured.service("all", "0"))?;
    service.await_ready(READY)?;
    let driving = Driving {
        rate,
        arrivals: arrivals(rate),
        warm_up: WARM_UP,
        lasts: run.lasts,
        codec: Codec::None,
        seed: run.seed,
    };
    let stencils = stencils(run.template.as_deref(), run.seed, 0)?;
    let log = site.log();
    let (driven, beside) = drive(log, &topics, &driving, stencils, &mut |_| {}, |along: &Beside| {
        beside(service, along, &measured)
    })?;
    Ok(Drove { driven, beside, topics })
}

/// Compares the events with the desk's own books, when the service has ended.
fn close(
    site: &mut Site<'_>,
    part: &str,
    topics: &Topics,
    driven: Driven,
    books: &mut Books,
) -> Result<(), Error> {
    let ledger = &driven.heard.ledger;
    let audit = Audit::of(&**site.log(), &topics.changelog, INBOX, READ).map_err(Error::failed)?;
    books.doubles += ledger.doubles;
    books.faults.extend(ledger.faults(&audit).into_iter().map(|fault| format!("{part}: {fault}")));
    for kind in EventKind::ALL {
        *books.events.entry(kind.as_str().to_owned()).or_default() += ledger.count(kind);
    }
    site.delete(&topics.tweets)
}

fn millis(latency: Option<f64>) -> String {
    latency.map_or_else(|| "-".to_owned(), |millis| format!("{millis:.1}"))
}
