//! A run that fails, with as few kinds of faults as it takes.

use super::{Kind, Report, Swarm, run_swarm};

/// Leaves kinds of faults out one after the other, as long as the run still fails. Returns what is left.
pub fn shrink(report: Report) -> Report {
    let mut swarm = Swarm::draw(report.seed);
    let mut least = report;
    for kind in Kind::ALL {
        if !swarm.rates.contains_key(&kind) {
            continue;
        }
        let less = swarm.without(&[kind]);
        let run = run_swarm(least.seed, less.clone());
        if run.failure.is_some() {
            (least, swarm) = (run, less);
        }
    }
    least
}
