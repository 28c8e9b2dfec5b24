//! A [`Producer`] of the memory log: a queue, and an acknowledgement at once, unless a fault delays it.
//!
//! What a fault delays is appended when it is due and this producer is called again, with all that was
//! sent behind it in the meantime; a producer that is dropped takes its queue with it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::fault::{Fault, Step};
use super::state::{Shared, State};
use crate::core::time::Time;
use crate::log::{Appended, Error, Kind, NewRecord, Producer};

#[derive(Debug)]
struct Queued {
    record: NewRecord,
    sent: Time,
    due: Time,
    fault: Option<Fault>,
}

#[derive(Debug)]
pub(super) struct MemoryProducer {
    shared: Arc<Shared>,
    queue: Queue,
}

#[derive(Debug, Default)]
struct Queue {
    queued: VecDeque<Queued>,
    /// By topic, since somebody asked last.
    appended: BTreeMap<Arc<str>, Appended>,
    /// Why this producer is spent.
    spent: Option<Error>,
}

impl Queue {
    /// Takes a record in, and delivers what is due.
    fn send(&mut self, state: &mut State, record: NewRecord) -> Result<(), Error> {
        self.deliver(state);
        if let Some(spent) = &self.spent {
            return Err(spent.clone());
        }
        let fault = state.fault(Step::Send(&record.partition));
        let delay = match fault {
            Some(Fault::Refused(Kind::Retry)) => {
                return Err(Error::new(Kind::Retry, format!("the queue for {} is full", record.partition)));
            }
            Some(Fault::Delayed(delay)) => super::millis(delay),
            _ => 0,
        };
        let sent = state.now;
        self.queued.push_back(Queued { record, sent, due: sent.plus(delay), fault });
        self.deliver(state);
        Ok(())
    }

    /// Delivers what is due, in order, up to the first that fails.
    fn deliver(&mut self, state: &mut State) {
        while self.spent.is_none()
            && let Some(first) = self.queued.pop_front_if(|first| first.due <= state.now)
        {
            let (topic, sent) = (Arc::clone(&first.record.partition.topic), first.sent);
            match append(state, first) {
                Ok(()) => drop(self.appended.insert(Arc::clone(&topic), state.appended(&topic, sent))),
                Err(error) => self.spent = Some(error),
            }
        }
    }
}

fn append(state: &mut State, Queued { record, sent, fault, .. }: Queued) -> Result<(), Error> {
    let what = |what| format!("a record for {} {what}", record.partition);
    match fault {
        Some(Fault::Refused(kind)) => Err(Error::new(kind, what("was refused by the fault hook"))),
        Some(Fault::Unanswered) => {
            let lost = Error::new(Kind::Fenced, what("was not acknowledged in time"));
            state.append(record, sent, None).and(Err(lost))
        }
        _ => state.append(record, sent, None),
    }
}

impl MemoryProducer {
    pub fn new(shared: Arc<Shared>) -> MemoryProducer {
        MemoryProducer { shared, queue: Queue::default() }
    }
}

impl Producer for MemoryProducer {
    fn send(&mut self, record: NewRecord) -> Result<(), Error> {
        let queue = &mut self.queue;
        self.shared.change(|state| queue.send(state, record))
    }

    fn send_all(&mut self, records: Vec<NewRecord>) -> Result<(), Error> {
        let queue = &mut self.queue;
        self.shared.change(|state| records.into_iter().try_for_each(|record| queue.send(state, record)))
    }

    fn outstanding(&mut self, wait: Duration) -> Result<usize, Error> {
        let queue = &mut self.queue;
        // Most calls find nothing to wait for, and have nobody to wake.
        if queue.spent.is_none() && queue.queued.is_empty() {
            return Ok(0);
        }
        self.shared.wait(wait, |state| {
            queue.deliver(state);
            (queue.spent.is_some() || queue.queued.is_empty()).then_some(())
        });
        match &queue.spent {
            Some(spent) => Err(spent.clone()),
            None => Ok(queue.queued.len()),
        }
    }

    fn appended(&mut self) -> Vec<Appended> {
        std::mem::take(&mut self.queue.appended).into_values().collect()
    }
}
