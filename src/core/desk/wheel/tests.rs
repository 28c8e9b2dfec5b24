use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Due {
    Due::new(Time::from_millis(millis), 0)
}

fn next<T: Ord>(wheel: &mut Wheel<T>, until: Due) -> Option<(Due, T)> {
    match wheel.take_due(until, &mut { usize::MAX }) {
        Next::Item(due, item) => Some((due, item)),
        Next::Nothing => None,
        Next::More => panic!("as many moves as there can be"),
    }
}

#[test]
fn due_to_the_millisecond_and_in_order() {
    let mut wheel = Wheel::default();
    for (time, item) in [(1_000_000, 'c'), (999_999, 'b'), (1_000_000, 'a'), (2_000_000, 'd')] {
        wheel.insert(at(time), item);
    }
    assert_eq!(next(&mut wheel, at(999_998)), None);
    assert_eq!(next(&mut wheel, at(1_000_000)), Some((at(999_999), 'b')));
    assert_eq!(next(&mut wheel, at(1_000_000)), Some((at(1_000_000), 'a')));
    assert_eq!(next(&mut wheel, at(1_999_999)), Some((at(1_000_000), 'c')));
    assert_eq!(next(&mut wheel, at(1_999_999)), None);
    assert_eq!(wheel.len(), 1);
    assert_eq!(next(&mut wheel, Due::last_of(Time::MAX)), Some((at(2_000_000), 'd')));
    assert!(wheel.is_empty());
}

#[test]
fn what_is_put_back_comes_again() {
    let mut wheel = Wheel::default();
    wheel.insert(at(50), 1);
    assert_eq!(next(&mut wheel, at(500)), Some((at(50), 1)));
    assert_eq!(next(&mut wheel, at(500)), None);
    wheel.insert(at(50), 1);
    wheel.insert(at(60), 2);
    assert_eq!(next(&mut wheel, at(49)), None);
    assert_eq!(next(&mut wheel, at(70)), Some((at(50), 1)));
    assert_eq!(next(&mut wheel, at(70)), Some((at(60), 2)));
}

#[test]
fn the_rank_decides_within_a_millisecond() {
    let time = Time::MAX;
    let mut wheel = Wheel::default();
    for (rank, item) in [(u16::MAX, 'd'), (7, 'b'), (7, 'a'), (8, 'c')] {
        wheel.insert(Due::new(time, rank), item);
    }
    assert_eq!(next(&mut wheel, Due::last_of(time.minus(1))), None);
    let all: Vec<(Due, char)> = std::iter::from_fn(|| next(&mut wheel, Due::last_of(time))).collect();
    assert_eq!(all.iter().map(|(_, item)| *item).collect::<String>(), "abcd");
    assert!(all.iter().all(|(due, _)| due.at() == time));
}

/// However many items are in one millisecond, no more of them are moved at once than is allowed.
#[test]
fn very_many_are_moved_in_steps() {
    const ITEMS: u32 = 100_000;
    const MOVES: usize = 1_000;
    let mut wheel = Wheel::default();
    for item in 0..ITEMS {
        let rank = (item.wrapping_mul(2_654_435_761) >> 16) as u16;
        wheel.insert(Due::new(Time::from_millis(1_000_000), rank), item);
    }
    let (mut taken, mut steps, mut before) = (0, 0, None);
    loop {
        let mut moves = MOVES;
        match wheel.take_due(Due::last_of(Time::MAX), &mut moves) {
            Next::Item(due, item) => {
                assert!(before < Some((due, item)));
                before = Some((due, item));
                taken += 1;
            }
            Next::More => {
                assert_eq!(moves, 0);
                steps += 1;
            }
            Next::Nothing => break,
        }
        assert_eq!(wheel.len(), (ITEMS - taken) as usize);
    }
    assert_eq!(taken, ITEMS);
    assert!((100..400).contains(&steps), "{steps} steps: each item falls at most a few times");
}

#[derive(Debug, Clone)]
enum Step {
    Insert(i64, u16),
    Advance(i64, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rank = || prop_oneof![Just(0), Just(u16::MAX), any::<u16>()];
    let moves = || prop_oneof![0usize..10, Just(usize::MAX)];
    let step = prop_oneof![
        (0i64..1 << 40, rank()).prop_map(|(at, rank)| Step::Insert(at, rank)),
        (0i64..200_000, rank()).prop_map(|(at, rank)| Step::Insert(at, rank)),
        (0i64..20, rank()).prop_map(|(at, rank)| Step::Insert(at, rank)),
        (0i64..20, moves()).prop_map(|(until, moves)| Step::Advance(until, moves)),
        (0i64..200_000, moves()).prop_map(|(until, moves)| Step::Advance(until, moves)),
        (0i64..1 << 40, moves()).prop_map(|(until, moves)| Step::Advance(until, moves)),
    ];
    prop::collection::vec(step, 1..600)
}

proptest! {
    /// Against a sorted set: whatever is inserted (before the cursor too), however time jumps and however
    /// little may be moved at once, the same items come out in the same order.
    #[test]
    fn behaves_as_a_sorted_set(steps in steps()) {
        let mut wheel = Wheel::default();
        let mut set = BTreeSet::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(time, rank) => {
                    let due = Due::new(Time::from_millis(time), rank);
                    wheel.insert(due, number);
                    set.insert((due, number));
                }
                Step::Advance(until, mut moves) => {
                    let until = Due::last_of(Time::from_millis(until));
                    loop {
                        match wheel.take_due(until, &mut moves) {
                            Next::Item(due, item) => prop_assert_eq!(set.pop_first(), Some((due, item))),
                            Next::More => break,
                            Next::Nothing => {
                                prop_assert!(set.first().is_none_or(|(due, _)| *due > until));
                                break;
                            }
                        }
                    }
                }
            }
            prop_assert_eq!(wheel.len(), set.len());
        }
    }
}

#[test]
fn one_that_begins_near_is_spread_and_has_what_is_earlier_too() {
    let hour = 3_600_000;
    let start = 1_760_000_000_000;
    let mut wheel = Wheel::default();
    wheel.begin_near(at(start + hour));
    for number in 0..50_000_i64 {
        wheel.insert(at(start + number * 7_919 % hour), number);
    }
    wheel.insert(at(start - 10 * hour), -1);
    wheel.begin_near(at(start + 100 * hour));
    let mut moves = 30_000;
    assert_eq!(wheel.take_due(at(start - 1), &mut moves), Next::Item(at(start - 10 * hour), -1));
    assert_eq!(wheel.take_due(at(start - 1), &mut moves), Next::Nothing, "nothing else is due by then");
    assert_eq!(moves, 30_000, "nor has anything been moved for it");
    let mut before = at(0);
    for _ in 0..50_000 {
        let (due, _) = next(&mut wheel, at(start + hour)).unwrap();
        assert!(due >= before);
        before = due;
    }
    assert!(wheel.is_empty());
}
