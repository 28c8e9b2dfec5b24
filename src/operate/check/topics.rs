//! The topics: that they are there, their settings, their partitions, and how many copies there are.

use std::collections::BTreeMap;

use super::{Look, Severity};
use crate::log::kafka::Spread;
use crate::operate::{Unable, patiently, some_of};
use crate::worker::needs::{Misfit, Need, alter, needs};

const COPIES: usize = 3;
const IN_SYNC: &str = "min.insync.replicas";
const UNCLEAN: &str = "unclean.leader.election.enable";

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Unable> {
    let names = look.config.service.topics.clone();
    let brokers = patiently(|| look.log.brokers())?;
    if brokers == 1 {
        let mend = "three brokers and three copies, two of them in sync, survive one that is lost";
        look.warn("brokers", "1: what its disk loses is lost", mend);
    } else {
        look.ok("brokers", brokers.to_string());
    }
    let mut counts = BTreeMap::new();
    for need in needs(&names) {
        look.part(&format!("topic {}", need.topic), |look| {
            if let Some(count) = topic(look, &need, brokers, need.topic == names.tweets)? {
                counts.insert(need.topic.clone(), count);
            }
            Ok(())
        });
    }
    let used = |topic: &String| counts.get(topic).map(|count| names.used(*count));
    if let (Some(inbox), Some(changelog)) = (used(&names.inbox), used(&names.changelog)) {
        match Misfit::partitions((&names.inbox, inbox), (&names.changelog, changelog)) {
            Some(misfit) => look.problem(
                "partitions of inbox and changelog",
                format!("{inbox} and {changelog}"),
                misfit.to_string(),
            ),
            None => look.ok("partitions of inbox and changelog", inbox.to_string()),
        }
    }
    Ok(())
}

/// One topic. Returns how many partitions it has, if it is there.
fn topic(look: &mut Look<'_>, need: &Need, brokers: usize, theirs: bool) -> Result<Option<u32>, Unable> {
    let log = look.log;
    let Some(spread) = patiently(|| log.spread(&need.topic))? else {
        look.problem(format!("topic {}", need.topic), "is not there", "hashbuy topics create");
        return Ok(None);
    };
    let lookup = &mut look.lookup;
    let settings = patiently(|| lookup.settings(&need.topic))?;
    if settings.is_none() {
        let mend = "give this user DescribeConfigs on the topic";
        look.warn(format!("topic {}: settings", need.topic), "may not be seen by this user", mend);
    }
    let settings = settings.unwrap_or_default();
    is_set(look, need, &settings);
    lies(look, need, &spread);
    if brokers > 1 {
        is_safe(look, need, &spread, &settings, theirs);
    }
    Ok(Some(u32::try_from(spread.len()).unwrap_or(u32::MAX)))
}

/// The settings of a topic against what it needs.
fn is_set(look: &mut Look<'_>, need: &Need, settings: &BTreeMap<String, String>) {
    let topic = &need.topic;
    let mut fine = Vec::new();
    for setting in &need.settings {
        let Some(found) = settings.get(setting.name) else { continue };
        if *found == setting.value {
            fine.push(format!("{}={found}", setting.name));
            continue;
        }
        let severity = if setting.why.is_some() { Severity::Problem } else { Severity::Warning };
        let why = setting.why.map(|why| format!("{why}; ")).unwrap_or_default();
        let mend = format!("{why}{}", alter(topic, setting.name, &setting.value));
        let value = format!("{found}, needed is {}", setting.value);
        look.add(severity, format!("topic {topic}: {}", setting.name), value, Some(mend));
    }
    if !fine.is_empty() {
        look.ok(format!("topic {topic}: settings"), fine.join(" "));
    }
}

/// That every partition has a leader, and all its copies.
fn lies(look: &mut Look<'_>, need: &Need, spread: &[Spread]) {
    let numbers = |is_it: fn(&Spread) -> bool| -> Vec<u32> {
        (0..).zip(spread).filter(|(_, spread)| is_it(spread)).map(|(number, _)| number).collect()
    };
    let (leaderless, behind) = (
        numbers(|spread| !spread.has_leader),
        numbers(|spread| spread.has_leader && spread.in_sync < spread.copies),
    );
    let what = format!("topic {}: partitions", need.topic);
    if !leaderless.is_empty() {
        look.problem(
            &what,
            format!("without a leader: {}", some_of(&leaderless)),
            "bring their brokers back",
        );
    }
    if !behind.is_empty() {
        look.warn(
            &what,
            format!("with copies that are behind: {}", some_of(&behind)),
            "look at the brokers that have them",
        );
    }
    if leaderless.is_empty() && behind.is_empty() {
        look.ok(what, spread.len().to_string());
    }
}

/// On a cluster: enough copies that one broker may be lost.
fn is_safe(
    look: &mut Look<'_>,
    need: &Need,
    spread: &[Spread],
    settings: &BTreeMap<String, String>,
    theirs: bool,
) {
    let topic = &need.topic;
    let severity = if theirs { Severity::Warning } else { Severity::Problem };
    let copies = spread.iter().map(|spread| spread.copies).min().unwrap_or(0);
    let mut fine = true;
    if copies < COPIES {
        fine = false;
        let severity = if copies > 1 { Severity::Warning } else { severity };
        let mend = format!("kafka-reassign-partitions to {COPIES} copies");
        look.add(severity, format!("topic {topic}: copies"), copies.to_string(), Some(mend));
    }
    let in_sync = settings.get(IN_SYNC).and_then(|value| value.parse().ok()).unwrap_or(0_usize);
    // Of one copy there is nothing more to say.
    if settings.contains_key(IN_SYNC) && copies > 1 && (in_sync < 2 || in_sync >= copies) {
        fine = false;
        let value = format!("{in_sync} of {copies} copies");
        let mend = if in_sync < 2 {
            format!("what is acknowledged by one broker is lost with it; {}", alter(topic, IN_SYNC, "2"))
        } else {
            "nothing is written while one broker is away: more copies, or fewer of them in sync".to_owned()
        };
        look.add(severity, format!("topic {topic}: {IN_SYNC}"), value, Some(mend));
    }
    if settings.get(UNCLEAN).is_some_and(|value| value == "true") {
        fine = false;
        let mend = format!("a copy that is behind may become the leader; {}", alter(topic, UNCLEAN, "false"));
        look.add(severity, format!("topic {topic}: {UNCLEAN}"), "true".to_owned(), Some(mend));
    }
    if fine {
        look.ok(format!("topic {topic}: copies"), format!("{copies}, {IN_SYNC}={in_sync}"));
    }
}
