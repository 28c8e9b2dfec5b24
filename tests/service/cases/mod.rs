//! The cases.

mod cancellations;
mod demo;
mod handover;
mod kills;
mod misfits;
mod poison;
mod purchase;
mod surroundings;
mod watching;

use crate::world::World;

/// A case, by its name.
pub type Case<F> = (&'static str, F);

/// Cases with a world on the broker of the run.
pub const WITH_BROKER: &[Case<fn(&mut World)>] = &[
    ("request_confirm_order", purchase::request_confirm_order),
    ("kill_and_restart", kills::kill_and_restart),
    ("two_processes", handover::two_processes),
    ("first_start_after_an_abort", handover::first_start_after_an_abort),
    ("cancellations", cancellations::cancellations),
    ("poisoned_tweets", poison::poisoned_tweets),
    ("poisoned_tables", poison::poisoned_tables),
    ("every_metric_is_served", watching::every_metric_is_served),
    ("topics_that_do_not_fit", misfits::topics_that_do_not_fit),
    ("demo", demo::demo),
    ("missing_topics", surroundings::missing_topics),
    ("port_in_use", surroundings::port_in_use),
    ("same_instance", surroundings::same_instance),
];

/// Cases that need none.
pub const WITHOUT_BROKER: &[Case<fn()>] =
    &[("no_broker", surroundings::no_broker), ("wrong_settings", surroundings::wrong_settings)];
