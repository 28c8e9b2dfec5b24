//! Calls of librdkafka that may not come back.
//!
//! Those on transactions wait for librdkafka's main thread without an end of their own, and it can forget to answer:
//! with librdkafka 2.12, when the coordinator of the group is a broker that has gone and is forgotten while the
//! offsets of a transaction are on their way to it. So they are made on a thread of their own, and waited for. One
//! that does not come back is left behind, with its producer, until the end of the process.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

/// A call may take so much longer than it was told to.
const GRACE: Duration = Duration::from_secs(2);

type Call<P> = Box<dyn FnOnce(&P) + Send>;

/// Makes calls on something.
pub(super) struct Caller<P> {
    calls: Sender<Call<P>>,
}

impl<P: Send + Sync + 'static> Caller<P> {
    /// The thread ends when this and its last call have.
    ///
    /// # Errors
    /// If the machine gives no more threads.
    pub(super) fn new(callee: &Arc<P>) -> std::io::Result<Caller<P>> {
        let (calls, made) = channel::<Call<P>>();
        let callee = Arc::clone(callee);
        thread::Builder::new().name("transactions".into()).spawn(move || {
            for call in made {
                call(&callee);
            }
        })?;
        Ok(Caller { calls })
    }

    /// Makes a call that was told to take at most `wait`. None if it has not come back by then and a little longer;
    /// nothing else comes back either from then on.
    pub(super) fn call<T: Send + 'static>(
        &self,
        wait: Duration,
        call: impl FnOnce(&P, Duration) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = channel();
        let call = move |callee: &P| {
            // Nobody waits for it any more, if it took too long.
            let _ = answer.send(call(callee, wait));
        };
        self.calls.send(Box::new(call)).ok()?;
        answered.recv_timeout(wait + GRACE).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_does_not_come_back_is_not_waited_for() {
        let callee = Arc::new(5);
        let caller = Caller::new(&callee).unwrap();
        let soon = Duration::from_secs(20);
        assert_eq!(caller.call(soon, |number, wait| (*number, wait)), Some((5, soon)));
        let (lost, never) = channel::<()>();
        let hangs = caller.call(Duration::ZERO, move |_, _| never.recv().is_ok());
        assert_eq!(hangs, None);
        assert_eq!(caller.call(Duration::ZERO, |number, _| *number), None, "behind it");
        drop(lost);
    }
}
