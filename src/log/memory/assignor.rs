//! Who is to read what: balanced, and sticky.
//!
//! A partition stays with the member that holds it as long as the balance allows it; so a newcomer
//! takes a few partitions from each of the others, and the rest read on undisturbed.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::Partition;

/// A member as the assignor sees it.
pub(super) struct Candidate<'c> {
    pub topics: &'c BTreeSet<String>,
    pub held: &'c BTreeSet<Partition>,
}

/// Divides partitions among members, so that two members with the same topics differ by one partition
/// at most. The same arguments give the same answer; ties go to the member with the lower id.
pub(super) fn assign(
    members: &BTreeMap<u64, Candidate<'_>>,
    partitions: &BTreeSet<Partition>,
) -> BTreeMap<u64, BTreeSet<Partition>> {
    let reads = |id: &u64, partition: &Partition| members[id].topics.contains(&*partition.topic);
    let mut shares: BTreeMap<u64, BTreeSet<Partition>> = members
        .iter()
        .map(|(&id, member)| (id, member.held.intersection(partitions).cloned().collect::<BTreeSet<_>>()))
        .map(|(id, held)| (id, held.into_iter().filter(|partition| reads(&id, partition)).collect()))
        .collect();
    let held: BTreeSet<Partition> = shares.values().flatten().cloned().collect();
    for partition in partitions.difference(&held) {
        let poorest =
            shares.iter_mut().filter(|(id, _)| reads(id, partition)).min_by_key(|(_, share)| share.len());
        if let Some((_, share)) = poorest {
            share.insert(partition.clone());
        }
    }
    while let Some((from, to, partition)) = unfair(&shares, reads) {
        shares.entry(from).or_default().remove(&partition);
        shares.entry(to).or_default().insert(partition);
    }
    shares
}

/// A partition that a richer member has to give to a poorer one. Each such move narrows the gap
/// between two members, so there is an end to them.
fn unfair(
    shares: &BTreeMap<u64, BTreeSet<Partition>>,
    reads: impl Fn(&u64, &Partition) -> bool,
) -> Option<(u64, u64, Partition)> {
    let mut by_size: Vec<(&u64, &BTreeSet<Partition>)> = shares.iter().collect();
    by_size.sort_by_key(|(_, share)| share.len());
    for &(rich, from) in by_size.iter().rev() {
        for &(poor, _) in by_size.iter().take_while(|(_, to)| to.len() + 1 < from.len()) {
            if let Some(partition) = from.iter().rev().find(|partition| reads(poor, partition)) {
                return Some((*rich, *poor, partition.clone()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(topic: &str, numbers: impl IntoIterator<Item = u32>) -> BTreeSet<Partition> {
        numbers.into_iter().map(|number| Partition::new(topic, number)).collect()
    }

    fn shares(
        members: &[(&[&str], BTreeSet<Partition>)],
        all: &BTreeSet<Partition>,
    ) -> Vec<BTreeSet<Partition>> {
        let topics: Vec<BTreeSet<String>> = members
            .iter()
            .map(|(topics, _)| topics.iter().map(|&topic| topic.to_owned()).collect())
            .collect();
        let candidates = (0..).zip(members.iter().zip(&topics));
        let candidates =
            candidates.map(|(id, ((_, held), topics))| (id, Candidate { topics, held })).collect();
        assign(&candidates, all).into_values().collect()
    }

    #[test]
    fn a_newcomer_gets_its_share_and_the_others_keep_theirs() {
        let all = partitions("t", 0..8);
        let held = [
            (&["t"][..], partitions("t", 0..4)),
            (&["t"], partitions("t", 4..8)),
            (&["t"], partitions("t", [])),
        ];
        let got = shares(&held, &all);
        assert_eq!(got.iter().map(BTreeSet::len).collect::<Vec<_>>(), [3, 3, 2]);
        assert!(got[0].is_subset(&held[0].1) && got[1].is_subset(&held[1].1));
    }

    #[test]
    fn what_nobody_holds_goes_to_the_poorest() {
        let got =
            shares(&[(&["t"], partitions("t", 0..3)), (&["t"], partitions("t", []))], &partitions("t", 0..5));
        assert_eq!(got, [partitions("t", 0..3), partitions("t", 3..5)]);
    }

    #[test]
    fn nobody_gets_what_it_does_not_read() {
        let all = partitions("t", 0..4);
        let got = shares(&[(&["t", "u"], partitions("u", [9])), (&["u"], partitions("u", []))], &all);
        assert_eq!(got, [all, partitions("t", [])]);
    }
}
