//! Both stages in one process, over a stream whose time is that of its data.
//!
//! The [`Engine`] takes records of a firehose and lines of the tables, one after the other, and gives
//! events. It is the core with a queue in the place of the inbox: each tweet moves desk time to the
//! greatest tweet time so far, what is due at that time happens, and then the tweet is handled with
//! log time = `now` = desk time. No file, no clock, no broker: the caller reads and writes.

mod engine;
mod lines;
mod summary;

pub use engine::{Engine, Seen, Stopped};
pub use lines::{Line, Source, Table};
pub use summary::Summary;
