//! The rows, numbered as in the matrix of the guarantees.

mod handover;
mod transactions;

use crate::scene::Scene;

/// Which brokers a row is played on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// The one that all share, and nobody harms.
    Single,
    /// One of its own.
    Own,
    /// The cluster of three, alone.
    Cluster,
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
    row("row_13_rolling_restart_and_storm", On::Single, false, handover::rolling_restart),
    row("row_23_terminated_in_mid_transaction", On::Single, true, handover::terminated_in_mid_transaction),
];
