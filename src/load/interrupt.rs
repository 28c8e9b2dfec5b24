//! Ctrl-C and SIGTERM while something is measured: what was started and made is cleared away before the end.
//!
//! Whoever waits asks now and then, and gives up with an error like any other. So the way out is the usual one:
//! processes are killed when nobody watches them any more, and topics are deleted.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::Failed;

/// A signal is to a process, not to a part of it.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on a first signal does not end the process, but [`check`] fails.
///
/// # Errors
/// If the machine refuses.
pub fn arm() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        INTERRUPTED.store(true, Ordering::Relaxed);
    })?;
    Ok(())
}

/// Whether to go on.
///
/// # Errors
/// If there was a signal.
pub fn check() -> Result<(), Failed> {
    match INTERRUPTED.load(Ordering::Relaxed) {
        false => Ok(()),
        true => Err(Failed("interrupted; what it has made is cleared away".to_owned())),
    }
}
