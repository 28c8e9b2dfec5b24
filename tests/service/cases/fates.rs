//! What shoppers do, and what has to come of it.

/// Something that a shopper does with the code that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Tweets the code.
    Code,
    /// Tweets it at the last millisecond that counts.
    CodeAtTheDeadline,
    /// Tweets it a millisecond after that.
    CodeTooLate,
    /// The tweet with the code comes a second time.
    CodeAgain,
    /// Tweets the code and the offer's tag beside it.
    CodeAndTag,
    /// Tweets somebody else's code.
    CodeOfSomebody,
    /// Tweets the offer's tag once more.
    Tag,
    /// Deletes the tweet with the offer's tag.
    Delete,
    /// Has the account frozen.
    Freeze,
}

/// A kind of shopper.
#[derive(Debug, PartialEq, Eq)]
pub struct Fate {
    /// `kettle` has the shortest window, `lamp` a stock, `vase` neither.
    pub offer: &'static str,
    /// After the request.
    pub deeds: &'static [Deed],
    /// All events of the account, in their order.
    pub story: &'static [&'static str],
}

/// Units of the lamp. Of those who want one, so many have a better story than the one that is written.
pub const STOCK: usize = 5;

const WRONG: &str = "refused wrong_code";
/// Of two refusals within a minute only the first is answered.
const WRONG_AGAIN: &str = "refused wrong_code silently";

const fn fate(offer: &'static str, deeds: &'static [Deed], story: &'static [&'static str]) -> Fate {
    Fate { offer, deeds, story }
}

use Deed::{
    Code, CodeAgain, CodeAndTag, CodeAtTheDeadline, CodeOfSomebody, CodeTooLate, Delete, Freeze, Tag,
};

/// How many of each there are.
pub const FATES: &[(usize, Fate)] = &[
    (8, fate("vase", &[Code], &["requested", "confirmed"])),
    (3, fate("kettle", &[CodeAtTheDeadline], &["requested", "confirmed"])),
    (4, fate("kettle", &[CodeTooLate], &["requested", "refused lapsed", "lapsed"])),
    (4, fate("kettle", &[], &["requested", "lapsed"])),
    // A code is nobody else's, and whose it is loses nothing.
    (4, fate("vase", &[CodeOfSomebody, Code], &["requested", WRONG, "confirmed"])),
    // Four wrong ones are borne with; the fifth locks, and then the right one is of no use.
    (
        2,
        fate(
            "vase",
            &[CodeOfSomebody, CodeOfSomebody, CodeOfSomebody, CodeOfSomebody, Code],
            &["requested", WRONG, WRONG_AGAIN, WRONG_AGAIN, WRONG_AGAIN, "confirmed"],
        ),
    ),
    (
        3,
        fate(
            "kettle",
            &[CodeOfSomebody, CodeOfSomebody, CodeOfSomebody, CodeOfSomebody, CodeOfSomebody, Code],
            &[
                "requested",
                WRONG,
                WRONG_AGAIN,
                WRONG_AGAIN,
                WRONG_AGAIN,
                WRONG_AGAIN,
                "refused locked silently",
                "lapsed",
            ],
        ),
    ),
    (3, fate("vase", &[Freeze, Code], &["requested", "cancelled frozen", "refused frozen"])),
    (3, fate("vase", &[Delete, Code], &["requested", "cancelled deleted", "refused lapsed"])),
    (2, fate("vase", &[Code, Delete], &["requested", "confirmed"])),
    // Once is enough.
    (3, fate("vase", &[Code, CodeAgain, Code], &["requested", "confirmed"])),
    (3, fate("vase", &[Tag, CodeAndTag], &["requested", "confirmed"])),
    // One of a kind for each: whoever has one, and asks for more, is refused.
    (2, fate("vase", &[Code, Tag], &["requested", "confirmed", "refused limit_reached"])),
    // Somebody else's words buy nothing.
    (3, fate("vase", &[], &[])),
    (9, fate("lamp", &[Code], &["requested", "cancelled sold_out"])),
    (3, fate("lamp", &[], &["refused sold_out"])),
];

impl Fate {
    /// Whether the own words of this one ask for something.
    pub fn asks(&self) -> bool {
        self.story.first() == Some(&"requested")
    }

    /// Whether this one wants what there is too little of.
    pub fn is_rare(&self) -> bool {
        self.offer == "lamp" && self.asks()
    }

    /// Whether this one comes when the others are done.
    pub fn comes_last(&self) -> bool {
        self.offer == "lamp" && !self.asks()
    }
}
