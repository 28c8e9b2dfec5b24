//! An account's record of the changelog, read and written without a detour: a million purchases may be pending, and
//! nothing is decided before they are back; and each decision writes one.
//!
//! What stands in it is known but for the values, so it is compared with that, field by field, and written piece by
//! piece, where serde would ask for the name of each field. Nothing hangs on it: it is the same JSON, byte for byte,
//! and what is not exactly that goes the usual way.

mod read;
mod write;

pub(super) use self::read::Accounts;
pub(super) use self::write::{Texts, write};
