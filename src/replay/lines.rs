//! Lines of the tables, in force when their time comes.

use crate::core::account::Account;
use crate::core::offer::Offer;
use crate::core::record::Rejection;
use crate::core::time::Time;
use crate::core::transaction::Transaction;
use crate::input::table_file::Change;

/// One line of a table: what changes, and from which desk time on.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Where it stands, for messages.
    pub source: Source,
    /// What changes; from the start, if it has no time.
    pub change: Change,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The table. Offers come before accounts, and accounts before card transactions, at the same time.
    pub table: Table,
    /// The line in its file, from 1.
    pub line: u64,
}

/// The tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// What is on offer.
    Offers,
    /// Who may buy.
    Accounts,
    /// What was paid with cards.
    Transactions,
}

impl Line {
    /// From this desk time on.
    pub fn at(&self) -> Option<Time> {
        self.change.at
    }

    /// What is wrong with the record by itself, for a line whose time did not come.
    pub(super) fn rejection(&self, code_prefix: &str) -> Option<Rejection> {
        let json = self.change.value.as_deref()?;
        match self.source.table {
            Table::Offers => Offer::from_json(json, code_prefix).err(),
            Table::Accounts => Account::from_json(json).err(),
            Table::Transactions => Transaction::from_json(json).err(),
        }
    }
}
