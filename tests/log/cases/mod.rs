//! The cases. None of them assumes that something happens at once, or on an idle cluster.

mod compaction;
mod groups;
mod offsets;
mod records;
mod transactions;

use crate::fixture::Fixture;

/// A case, which panics if the log does not keep it.
pub type Case = fn(&dyn Fixture);

/// All cases with their names.
pub const ALL: &[(&str, Case)] = &[
    ("headers_and_keys", records::headers_and_keys),
    ("ordering", records::ordering),
    ("many_at_once", records::many_at_once),
    ("outstanding", records::outstanding),
    ("timestamps", records::timestamps),
    ("delivery_times", records::delivery_times),
    ("topic_settings", records::topic_settings),
    ("unknown_partition", records::unknown_partition),
    ("out_of_range", records::out_of_range),
    ("commit", transactions::commit),
    ("abort", transactions::abort),
    ("pinned_last_stable_offset", transactions::pinned_last_stable_offset),
    ("end_of_partition", transactions::end_of_partition),
    ("producer_fencing", transactions::producer_fencing),
    ("left_open", transactions::left_open),
    ("transaction_timeout", transactions::transaction_timeout),
    ("commit_metadata", offsets::commit_metadata),
    ("another_group", offsets::another_group),
    ("fenced_generation", offsets::fenced_generation),
    ("zombie_commit", offsets::zombie_commit),
    ("pending_offsets", offsets::pending_offsets),
    ("hand_over", groups::hand_over),
    ("leave", groups::leave),
    ("static_restart", groups::static_restart),
    ("static_fencing", groups::static_fencing),
    ("empty_assignment", groups::empty_assignment),
    ("grown_topic", groups::grown_topic),
    ("lost", groups::lost),
    ("pause", groups::pause),
    ("compaction", compaction::compaction),
    ("compaction_of_an_open_transaction", compaction::open_transaction),
    ("tombstones", compaction::tombstones),
];
