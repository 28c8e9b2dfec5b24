//! The thread that plays the firehose: noise at its rate, and shoppers among it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::crowd::{Crowd, Heard};
use crate::stream::{Sent, Stream};

/// What the thread is told, and tells.
#[derive(Default)]
pub struct Board {
    /// Nobody new comes.
    pub closing: AtomicBool,
    /// It is over.
    pub ending: AtomicBool,
    /// Who has come, and who waits for something.
    pub asked: AtomicU64,
    pub waiting: AtomicUsize,
    sent: Mutex<Sent>,
}

impl Board {
    pub fn sent(&self) -> Sent {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has come of it.
pub struct Played {
    pub crowd: Crowd,
    pub sent: Sent,
    /// Records that the brokers have.
    pub taken: u64,
}

/// Plays, with so many shoppers a second.
pub fn drive(
    mut stream: Stream,
    mut crowd: Crowd,
    heard: Receiver<Heard>,
    board: Arc<Board>,
    shoppers: u64,
) -> JoinHandle<Result<Played, String>> {
    thread::spawn(move || {
        stream.begin();
        let (began, mut come) = (Instant::now(), 0);
        while !board.ending.load(Ordering::Acquire) {
            heard.try_iter().for_each(|heard| crowd.hear(heard));
            crowd.act(&mut stream);
            let due = (began.elapsed().as_secs_f64() * shoppers as f64) as u64;
            while come < due && !board.closing.load(Ordering::Acquire) {
                come += 1;
                crowd.arrival(&mut stream);
            }
            if !stream.noise() {
                thread::sleep(Duration::from_millis(2));
            }
            stream.failure().map_or(Ok(()), Err)?;
            board.asked.store(crowd.asked(), Ordering::Relaxed);
            board.waiting.store(crowd.waiting(), Ordering::Relaxed);
            *board.sent.lock().unwrap_or_else(PoisonError::into_inner) = stream.sent;
        }
        let taken = stream.finish()?;
        Ok(Played { crowd, sent: stream.sent, taken })
    })
}
