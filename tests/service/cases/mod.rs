//! The cases.

mod broker_goes_away;
mod cancellations;
mod coupons;
mod demo;
mod fates;
mod handover;
mod kills;
mod load;
mod logs;
mod misfits;
mod operators;
mod page;
mod poison;
mod purchase;
mod quiet;
mod real_tweets;
mod shoppers;
mod surroundings;
mod watching;

use crate::broker::Broker;
use crate::stream_2013;
use crate::world::World;

/// A case, by its name.
pub type Case<F> = (&'static str, F);

/// Cases that do to a broker what no other case could bear.
pub const WITH_OWN_BROKER: &[Case<fn(&Broker)>] = &[("broker_goes_away", broker_goes_away::broker_goes_away)];

/// Cases with a world on the broker of the run.
pub const WITH_BROKER: &[Case<fn(&mut World)>] = &[
    // The longest first: they wait for windows to end.
    ("shoppers", shoppers::shoppers),
    ("load_run", load::all_of_it_and_a_report),
    ("operators_move", operators::moving::move_to_more_partitions),
    ("operators_adopt", operators::adopt::adopted_offsets),
    ("operators_grown_inbox", operators::layout::grown_inbox),
    ("operators_check", operators::check::checks),
    ("operators_revisions", operators::revisions::revisions),
    ("operators_elsewhere", operators::elsewhere::begin_elsewhere),
    ("operators_versions", operators::versions::versions_of_records),
    ("idle_partitions", quiet::idle_partitions),
    ("silent_firehose", quiet::silent_firehose),
    ("unread_partition", quiet::unread_partition),
    ("request_confirm_order", purchase::request_confirm_order),
    ("kill_and_restart", kills::kill_and_restart),
    ("load_fill_and_baseline", load::fill_and_baseline),
    ("load_drive", load::drive),
    ("two_processes", handover::two_processes),
    ("stages_apart", handover::stages_apart),
    ("first_start_after_an_abort", handover::first_start_after_an_abort),
    ("real_tweets", real_tweets::real_tweets),
    ("cancellations", cancellations::cancellations),
    ("coupons", coupons::loaded_redeemed_reversed),
    ("coupons_bad_transactions", coupons::bad_transactions),
    ("freezing_takes_effect", coupons::freezing_takes_effect),
    ("poisoned_tweets", poison::poisoned_tweets),
    ("poisoned_tables", poison::poisoned_tables),
    ("every_metric_is_served", watching::every_metric_is_served),
    ("logs", logs::logs),
    ("logs_as_text", logs::logs_as_text),
    ("the_page", page::the_page),
    ("topics_that_do_not_fit", misfits::topics_that_do_not_fit),
    ("demo", demo::demo),
    ("missing_topics", surroundings::missing_topics),
    ("port_in_use", surroundings::port_in_use),
    ("same_instance", surroundings::same_instance),
];

/// What else than a broker is missing for a case, if anything is.
pub fn missing(name: &str) -> Option<String> {
    if name == "real_tweets" { stream_2013::missing() } else { None }
}

/// Cases that need none.
pub const WITHOUT_BROKER: &[Case<fn()>] =
    &[("no_broker", surroundings::no_broker), ("wrong_settings", surroundings::wrong_settings)];
