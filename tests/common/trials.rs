//! Cases that need what a machine may not have.

use libtest_mimic::Trial;

/// The trial, ignored if something is missing for it.
pub fn unless(missing: Option<impl Into<String>>, trial: Trial) -> Trial {
    match missing {
        Some(missing) => trial.with_ignored_flag(true).with_kind(missing.into()),
        None => trial,
    }
}
