//! The rules, as plain functions over values. The core knows no Kafka, no clock, no threads and
//! no random numbers: what it decides on is handed to it.

pub mod ids;
pub mod time;
