//! The books: from outside of the service, whether what it has written adds up.
//!
//! ```text
//! purchases, orders ──► Biller ──► Ledger    every purchase ends once, and is billed once; every coupon is credited once
//! changelog ──────────► Audit                what the desk itself believes to be pending, or still loaded
//! ```

pub mod audit;
pub mod biller;
pub mod coupons;
pub mod ledger;
