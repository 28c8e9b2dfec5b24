//! `hashbuy desk adopt`: takes the changelog's offsets for the desk's group.

use std::io::{self, IsTerminal as _};

use clap::Args;

use crate::command::columns::columns;
use crate::command::desk::{DESK, error, print};
use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, tell};
use crate::log::Partition;
use crate::operate::offsets::{Offsets, Verdict, offsets, partitions};
use crate::operate::quiet::nobody_in;
use crate::operate::{patiently, some_of};
use crate::worker::desk::counted;

/// The end of its help.
pub const HELP: &str = "\
The desk writes its state and the offset up to which it has read its inbox in one transaction. When \
a desk worker finds that the group's offset is another than the changelog's it stops: somebody has \
reset the group, or put an older copy of a topic back. This command shows both, and takes the \
changelog's if you say so: the state that is there goes on exactly where it was written.

No desk may run meanwhile. If the changelog itself is lost there is nothing to take: put a copy of \
the topic back, and then run this.

Exit codes: 0 nothing to do, or done; 1 something is left that this cannot mend, it was not \
confirmed, or it failed; 2 wrong use or configuration.

Examples:
  hashbuy desk adopt --config hashbuy.toml
  hashbuy desk adopt --config hashbuy.toml --partition 3 --yes";

/// Arguments of `desk adopt`.
#[derive(Debug, Args)]
pub struct Adopt {
    /// Only this partition of the inbox; may be repeated
    #[arg(long = "partition", value_name = "N")]
    pub partitions: Vec<u32>,
    /// Do it without asking
    #[arg(long)]
    pub yes: bool,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `hashbuy desk adopt`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(adopt: &Adopt) -> Result<(), Error> {
    let config = adopt.settings.load()?;
    let (app, topics) = (&config.service.app, &config.service.topics);
    let log = connect(&config)?;
    let there = partitions(&*log, topics).map_err(error)?;
    if let Some(number) = adopt.partitions.iter().find(|number| !there.contains(number)) {
        return Err(Error::Usage(format!(
            "--partition {number}: {} has the partitions 0 to {}",
            topics.inbox,
            there.len().saturating_sub(1)
        )));
    }
    let mut numbers = if adopt.partitions.is_empty() { there } else { adopt.partitions.clone() };
    numbers.sort_unstable();
    numbers.dedup();
    nobody_in(&log, app, topics, DESK).map_err(error)?;
    let found = offsets(&*log, app, topics, &numbers).map_err(error)?;
    print(&table(&found))?;
    let taken: Vec<(Partition, u64)> = found.iter().filter_map(taken).collect();
    if !taken.is_empty() {
        confirm(adopt.yes, taken.len())?;
        let group = format!("{app}-desk");
        // The broker refuses it if a desk has started meanwhile.
        patiently(|| log.commit_by_hand(&group, &taken)).map_err(Error::failed)?;
        tell(format_args!("group {group}: {} partitions set to the changelog's offset", taken.len()));
    }
    let left: Vec<u32> =
        found.iter().filter(|offsets| is_left(offsets)).map(|offsets| offsets.inbox.number).collect();
    if left.is_empty() {
        if taken.is_empty() {
            tell("nothing to do");
        }
        return Ok(());
    }
    Err(Error::Failed(format!(
        "partitions {} cannot be mended by this: see above what to do",
        some_of(&left)
    )))
}

/// The offset that is to be committed, if one is.
fn taken(offsets: &Offsets) -> Option<(Partition, u64)> {
    let is_taken = matches!(offsets.verdict(), Verdict::Differ | Verdict::Expired);
    offsets.changelog.filter(|_| is_taken).map(|at| (offsets.inbox.clone(), at))
}

fn is_left(offsets: &Offsets) -> bool {
    matches!(offsets.verdict(), Verdict::Lost | Verdict::Gone | Verdict::Beyond | Verdict::Open)
}

fn table(found: &[Offsets]) -> String {
    let shown = |offset: Option<u64>| offset.map_or("none".to_owned(), |offset| offset.to_string());
    let row = |offsets: &Offsets| {
        let (first, end) = offsets.bounds;
        vec![
            offsets.inbox.to_string(),
            shown(offsets.group),
            shown(offsets.changelog),
            first.to_string(),
            end.to_string(),
            what_to_do(offsets),
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    columns(&["partition", "group", "changelog", "inbox from", "to", "then"], &rows)
}

/// What is done about a partition, or has to be done by somebody else.
fn what_to_do(offsets: &Offsets) -> String {
    let verdict = offsets.verdict();
    let (group, at) = (offsets.group.unwrap_or(0), offsets.changelog.unwrap_or(0));
    match verdict {
        Verdict::Agree => "nothing: they agree".to_owned(),
        Verdict::Expired => format!("set to {at}: the group has forgotten its offset"),
        Verdict::Differ if at < group => format!(
            "set to {at}: {at} to {} are decided on by the state in the changelog; if that is an old copy, a second time, \
             with the same ids",
            group - 1
        ),
        Verdict::Differ => format!("set to {at}: {group} to {} are in the state already", at - 1),
        Verdict::Lost => format!(
            "{verdict}: put a copy of the changelog back; without it the state of this partition is gone"
        ),
        Verdict::Gone => {
            format!("{verdict}: put a copy of the inbox back that has {at} and what comes behind it")
        }
        Verdict::Beyond => format!("{verdict}: was the inbox made anew? put back the one of this changelog"),
        Verdict::Open => {
            format!("{verdict} in the changelog: wait until it has timed out, and run this again")
        }
    }
}

fn confirm(yes: bool, count: usize) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Error::Usage(
            "nobody can be asked here: say --yes if the table above is what you want".into(),
        ));
    }
    tell(format_args!("Take the changelog's offset for {}? Type yes:", counted(count)));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Error::failed)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Error::Failed("nothing was done".into())) }
}
