//! The desk: who is in its group, its offsets by both accounts, the layout of its state, and the settings in
//! force.

use std::thread;
use std::time::Duration;

use super::Look;
use crate::core::inbox::{Inbox, decode};
use crate::core::settings::Settings;
use crate::operate::offsets::{Offsets, Verdict, offsets};
use crate::operate::quiet::{GROUPS, members as members_of};
use crate::operate::reading::newest;
use crate::operate::{Unable, some_of};
use crate::worker::needs::Misfit;

/// Offsets of a live service are looked at so often, so far apart, before they are said to differ.
const LOOKS: usize = 4;
const APART: Duration = Duration::from_millis(400);

/// Who is at work.
pub(super) fn members(look: &mut Look<'_>) -> Result<(), Unable> {
    for (suffix, stage) in GROUPS {
        let what = format!("group {}", look.group(suffix));
        look.part(&what, |look| {
            let service = &look.config.service;
            match members_of(look.log, &service.app, &service.topics, suffix)?.len() {
                0 => look.warn(
                    what.as_str(),
                    "nobody is in it",
                    format!("start a process with the {stage} stage: hashbuy run"),
                ),
                1 => look.ok(what.as_str(), "1 member"),
                count => look.ok(what.as_str(), format!("{count} members")),
            }
            Ok(())
        });
    }
    Ok(())
}

/// The offsets of the group against those of the changelog, and the number of partitions.
pub(super) fn state(look: &mut Look<'_>) -> Result<(), Unable> {
    let (app, topics) = (look.config.service.app.clone(), look.config.service.topics.clone());
    let (inbox, changelog) = (look.used(&topics.inbox)?, look.used(&topics.changelog)?);
    if inbox.is_empty() || changelog.is_empty() {
        return Ok(()); // missing, which is a finding already
    }
    let numbers: Vec<u32> = inbox
        .iter()
        .filter(|inbox| (inbox.number as usize) < changelog.len())
        .map(|inbox| inbox.number)
        .collect();
    let mut found = offsets(look.log, &app, &topics, &numbers)?;
    for _ in 1..LOOKS {
        // A service at work commits between two questions: what it was at one of them says nothing.
        let unsure: Vec<u32> =
            found.iter().filter(|offsets| is_odd(offsets)).map(|offsets| offsets.inbox.number).collect();
        if unsure.is_empty() {
            break;
        }
        thread::sleep(APART);
        for again in offsets(look.log, &app, &topics, &unsure)? {
            let before = found.iter_mut().find(|before| before.inbox == again.inbox);
            if let Some(before) = before {
                // Nothing was odd about it if it has gone on.
                let has_moved = again.group > before.group && again.changelog > before.changelog;
                *before = if has_moved { Offsets { group: again.changelog, ..again } } else { again };
            }
        }
    }
    let odd: Vec<&Offsets> = found.iter().filter(|offsets| is_odd(offsets)).collect();
    for offsets in &odd {
        let shown = |offset: Option<u64>| offset.map_or("none".to_owned(), |offset| offset.to_string());
        let (first, end) = offsets.bounds;
        look.problem(
            format!("offsets of {}", offsets.inbox),
            format!(
                "{}: group {}, changelog {}, inbox {first} to {end}",
                offsets.verdict(),
                shown(offsets.group),
                shown(offsets.changelog)
            ),
            "stop the desk; `hashbuy desk adopt` shows what can be done",
        );
    }
    if odd.is_empty() {
        look.ok("offsets of group and changelog", format!("they agree in {} partitions", found.len()));
    }
    layout(look, &topics.inbox, &found);
    Ok(())
}

fn is_odd(offsets: &Offsets) -> bool {
    // What is open is looked at with the transactions.
    !matches!(offsets.verdict(), Verdict::Agree | Verdict::Open)
}

fn layout(look: &mut Look<'_>, inbox: &str, found: &[Offsets]) {
    let has = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let says = |offsets: &Offsets| offsets.state.as_ref().and_then(|state| state.partitions);
    let wrong = found.iter().filter_map(says).find(|says| *says != has);
    match wrong {
        Some(was) => {
            let value = format!("made with {was}, {inbox} has {has}");
            look.problem("partitions of the state", value, Misfit::grown(inbox, has, was).to_string());
        }
        None if found.iter().any(|offsets| says(offsets).is_some()) => {
            look.ok("partitions of the state", has.to_string());
        }
        None => look.ok("partitions of the state", "not written down yet"),
    }
}

/// The settings in the newest marks and in the state, against those of this configuration.
pub(super) fn settings(look: &mut Look<'_>) -> Result<(), Unable> {
    let topics = look.config.service.topics.clone();
    let inbox = look.used(&topics.inbox)?;
    let first = inbox.get(..1).unwrap_or_default();
    let mark = newest(look.log, first, |message| match decode(message.value?) {
        Ok(Inbox::Mark { settings, .. }) => Some(settings),
        _ => None,
    })?;
    let what = "settings in force";
    let Some(mark) = mark.into_iter().next().flatten() else {
        look.ok(what, "no mark has brought any yet");
        return Ok(());
    };
    let own = &look.config.settings;
    let (ours, theirs) = (own.revision, mark.revision);
    if *own == *mark {
        look.ok(what, format!("revision {theirs}, as here"));
    } else if ours > theirs {
        let value = format!("revision {theirs}, here is {ours}");
        look.warn(what, value, "restart the processes with this configuration, one by one");
    } else if ours < theirs {
        let value = format!("revision {theirs}, here is {ours}");
        look.warn(what, value, "this configuration is old: give all processes the newer one");
    } else {
        let value =
            format!("revision {theirs}, and so it is here, but not the same: {}", differing(own, &mark));
        look.problem(
            what,
            value,
            "raise `revision` in the configuration that is right, and give it to all processes",
        );
    }
    Ok(())
}

/// The names of what differs.
fn differing(own: &Settings, other: &Settings) -> String {
    let fields = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (own, other) = (fields(own), fields(other));
    let names: Vec<&str> = own
        .iter()
        .filter(|(name, value)| other.get(*name) != Some(value))
        .map(|(name, _)| name.as_str())
        .collect();
    names.join(", ")
}

/// Partitions, for a finding.
pub(super) fn listed(numbers: &[u32]) -> String {
    let s = if numbers.len() == 1 { "" } else { "s" };
    format!("partition{s} {}", some_of(numbers))
}
