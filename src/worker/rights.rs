//! The rights that each stage needs on the brokers, where they ask: these and no others. docs/security.md is made of
//! the same table.

use super::Topics;
use super::needs::{By, needs};
use crate::log::right::{Resource, Right};

/// What the stages that run in a process need.
///
/// ```
/// # use hashbuy::worker::{Topics, needs::By, rights::rights};
/// let scan = rights("hashbuy", &Topics::default(), By::Scan);
/// assert!(scan.iter().all(|right| right.name != "orders"));
/// ```
pub fn rights(app: &str, topics: &Topics, by: By) -> Vec<Right> {
    let topic = |operation| move |name: &str| Right::new(operation, Resource::Topic, name);
    let mut rights: Vec<Right> = read(topics, by).into_iter().map(topic("Read")).collect();
    rights.extend(written(topics, by).into_iter().map(topic("Write")));
    // The settings of the others do not matter.
    let checked = needs(topics).into_iter().filter(|need| need.is_for(by) && need.has_to_be());
    rights.extend(checked.map(|need| topic("DescribeConfigs")(&need.topic)));
    let group = |stage| Right::new("Read", Resource::Group, format!("{app}-{stage}"));
    if by != By::Desk {
        rights.extend([group("scan"), group("tables")]);
    }
    if by != By::Scan {
        rights.push(group("desk"));
        rights.push(Right::new("Write", Resource::TransactionalIds, format!("{app}-desk-")));
    }
    rights
}

fn read(topics: &Topics, by: By) -> Vec<&str> {
    let Topics { tweets, offers, accounts, card_transactions, inbox, changelog, .. } = topics;
    match by {
        By::Scan => vec![tweets, offers, accounts, card_transactions],
        By::Desk => vec![inbox, changelog],
        By::Both => vec![tweets, offers, accounts, card_transactions, inbox, changelog],
    }
}

fn written(topics: &Topics, by: By) -> Vec<&str> {
    let Topics { inbox, changelog, purchases, orders, dead_letters, .. } = topics;
    match by {
        By::Scan => vec![inbox, dead_letters],
        By::Desk => vec![inbox, changelog, purchases, orders],
        By::Both => vec![inbox, changelog, purchases, orders, dead_letters],
    }
}

/// What a process needs to do with a topic that it may not even see.
pub(super) fn on_topic(topic: &str, topics: &Topics, by: By) -> Option<Right> {
    let wanted = [("Read", read(topics, by)), ("Write", written(topics, by))];
    let operation = wanted.iter().find(|(_, names)| names.contains(&topic))?.0;
    Some(Right::new(operation, Resource::Topic, topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_stages_need_what_each_needs_and_no_more() {
        let of = |by| rights("app", &Topics::default(), by);
        let mut together = [of(By::Scan), of(By::Desk)].concat();
        together.sort();
        together.dedup();
        let mut both = of(By::Both);
        both.sort();
        assert_eq!(both, together);
        assert_eq!(both.len(), 19, "{both:?}");
    }
}
