//! Memory for each pending of a desk that has made them itself, with everything that it remembers beside them.

use std::hint::black_box;

use hashbuy::core::desk::Pendings;
use hashbuy::core::desk::wheel::Wheel;

use crate::crowd::{desk, id, link, pending, request};
use crate::process::{mib, most, resident};

/// Pendings and their timers alone, without what the accounts remember of them.
pub fn alone(pendings: u64, each: u64) {
    let accounts = pendings.div_ceil(each);
    let (held, mut timers) = (Pendings::default(), Wheel::default());
    let make = pending(pendings, SPAN);
    let before = resident();
    for number in 0..pendings {
        let account = id(number % accounts);
        let mut of_it = held.of(account);
        of_it.push(make(number, account));
        timers.insert(of_it[of_it.len() - 1].due(), account);
        held.set(account, &of_it);
    }
    assert_eq!(held.count() as u64, pendings);
    let all = resident() - before;
    println!(
        "alone: {pendings} pendings with their timers, {each} an account: {:.0} MiB, {} bytes for each",
        mib(all),
        all / pendings
    );
    std::mem::forget((held, timers));
}

/// The requests go through so many milliseconds: as long as the confirmation window.
const SPAN: u64 = 900_000;

pub fn measure(pendings: u64, each: u64) {
    let accounts = pendings.div_ceil(each);
    let mut desk = desk();
    let before = resident();
    link(&mut desk, accounts);
    let linked = resident() - before;
    request(&mut desk, pendings, each, SPAN);
    let all = resident() - before;
    black_box(&desk);
    println!(
        "live: {pendings} pendings, {each} an account: {:.0} MiB, {} bytes for each; {accounts} accounts before they \
         asked for anything {:.0} MiB, {} bytes for each; at most {:.0} MiB",
        mib(all),
        all / pendings,
        mib(linked),
        linked / accounts,
        mib(most()),
    );
    // To take it apart takes longer than to end.
    std::mem::forget(desk);
}
