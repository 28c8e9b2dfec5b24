//! The rows, numbered as in the matrix of the guarantees.

pub mod brokers;
mod handover;
mod lapses;
mod mix;
mod rights;
mod time;
mod topics;
mod transactions;
mod zombie;

// Rows that the service's tests play every day.
#[path = "../../service/cases/fates.rs"]
mod fates;
#[path = "../../service/cases/poison.rs"]
mod poison;
#[path = "../../service/cases/quiet.rs"]
mod quiet;
#[path = "../../service/cases/shoppers.rs"]
mod shoppers;

use crate::scene::Scene;

/// Which brokers a row is played on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// The one that all share, and nobody harms.
    Single,
    /// One of its own.
    Own,
    /// One of its own, which gives the service the rights that it has.
    WithUsers,
    /// The cluster of three, alone.
    Cluster,
    /// Three of its own, with a proxy between them.
    Apart,
}

/// A row of the matrix.
pub struct Row {
    pub name: &'static str,
    pub on: On,
    /// Whether it is played every day.
    pub short: bool,
    pub play: fn(&mut Scene),
}

const fn row(name: &'static str, on: On, short: bool, play: fn(&mut Scene)) -> Row {
    Row { name, on, short, play }
}

/// All rows.
pub const ROWS: &[Row] = &[
    row("row_01_killed_at_each_step_of_a_transaction", On::Single, true, transactions::killed_at_each_step),
    row(
        "row_02_stopped_past_the_transaction_timeout",
        On::Single,
        true,
        transactions::stopped_past_the_timeout,
    ),
    row("row_03_stopped_past_max_poll_interval", On::Single, false, handover::stopped_past_max_poll),
    row("row_03_stopped_past_the_session", On::Single, true, handover::stopped_past_the_session),
    row("row_03_heartbeats_are_refused", On::Single, false, handover::heartbeats_are_refused),
    row("row_04_two_processes_with_one_name", On::Single, true, handover::same_name),
    row("row_05_zombie_through_two_handovers", On::Single, true, handover::zombie_through_two_handovers),
    row("row_06_an_end_that_comes_in_the_next_transaction", On::Single, true, transactions::end_comes_late),
    row("row_07_the_answer_to_an_end_is_lost", On::Single, true, transactions::answer_is_lost),
    row("row_08_brokers_are_killed", On::Cluster, false, brokers::killed),
    row("row_09_brokers_stand_still", On::Cluster, false, brokers::stand_still),
    row("row_10_network_is_cut", On::Cluster, false, brokers::network_is_cut),
    row("row_10_brokers_are_cut_off", On::Apart, false, brokers::cut_off),
    row("row_11_too_few_copies_in_sync", On::Cluster, false, brokers::too_few_in_sync),
    row("row_12_disk_of_a_broker_is_full", On::Cluster, false, brokers::disk_is_full),
    row("row_12_slow_broker", On::Own, false, brokers::slow),
    row("row_13_rolling_restart_and_storm", On::Single, false, handover::rolling_restart),
    row("row_15_late_and_twice_and_at_the_deadline", On::Single, false, |scene| {
        shoppers::shoppers(&mut scene.world)
    }),
    row("row_17_poisoned_tweets", On::Single, false, |scene| poison::poisoned_tweets(&mut scene.world)),
    row("row_17_poisoned_tables", On::Single, false, |scene| poison::poisoned_tables(&mut scene.world)),
    row("row_16_event_too_large", On::Single, true, topics::event_too_large),
    row("row_18_inbox_grows", On::Single, true, topics::inbox_grows),
    row("row_19_topic_deleted", On::Single, false, topics::topic_deleted),
    row("row_19_changelog_made_anew_at_work", On::Single, true, topics::changelog_made_anew_at_work),
    row("row_19_inbox_is_trimmed", On::Single, true, topics::inbox_is_trimmed),
    row("row_20_transaction_hangs", On::Single, false, topics::transaction_hangs),
    row("row_21_changelog_compacted_during_restores", On::Single, false, topics::compacted_during_restores),
    row("row_22_right_taken_away", On::WithUsers, false, rights::right_taken_away),
    row("row_22_right_taken_away_in_an_answer", On::Single, false, rights::right_taken_away_in_an_answer),
    row("row_23_terminated_in_mid_transaction", On::Single, true, handover::terminated_in_mid_transaction),
    row("row_24_lapses_without_number", On::Own, false, lapses::lapses_without_number),
    row("row_25_firehose_grows", On::Single, true, time::firehose_grows),
    row("row_25_idle_partitions", On::Single, false, |scene| quiet::idle_partitions(&mut scene.world)),
    row("row_25_unread_partition", On::Single, false, |scene| quiet::unread_partition(&mut scene.world)),
    row("row_26_firehose_rewound", On::Single, false, time::firehose_rewound),
    row("row_27_frozen_in_the_moment", On::Single, true, time::frozen_in_the_moment),
    row("row_28_from_the_future", On::Single, true, time::from_the_future),
    row("row_28_cut_off_then_backfilled", On::Single, false, |scene| {
        quiet::silent_firehose(&mut scene.world)
    }),
    row("row_29_everything", On::Cluster, false, mix::everything),
];
