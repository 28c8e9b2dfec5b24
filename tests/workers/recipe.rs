//! Single steps of the recipe for exactly once, each with the trouble that it is there for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hashbuy::core::inbox::{Inbox, decode, encode};
use hashbuy::core::settings::Settings;
use hashbuy::core::time::Time;
use hashbuy::firehose::Maker;
use hashbuy::log::memory::{
    Cleanup, Fault, Faults, MemoryLog, MemorySettings, Record, Step, Timestamps, TopicSettings,
};
use hashbuy::log::{Kind, Log, NewRecord, Partition};
use hashbuy::worker::desk::DeskWorker;
use hashbuy::worker::keeper::{Keeper, KeeperOptions, Silence};
use hashbuy::worker::needs::{self, By, Misfit};
use hashbuy::worker::{Clock, Stop, Topics};

use crate::fleet::{Fleet, Hand, START, TWEETS, desk_options};
use crate::odd::{Odd, Oddities};
use crate::{count, play};

/// Lets time go on with nothing but noise, 200 ms at a time.
fn idle(fleet: &mut Fleet, maker: &mut Maker, seconds: i64) {
    for _ in 0..seconds * 5 {
        step(fleet, maker);
    }
}

fn step(fleet: &mut Fleet, maker: &mut Maker) {
    fleet.pass(200);
    for partition in 0..TWEETS {
        let noise = maker.noise(fleet.now()).to_vec();
        fleet.write("tweets", partition, None, Some(noise));
    }
    (0..3).for_each(|_| fleet.turn());
}

/// While a worker stands still its session ends, another does its work and goes, and then librdkafka lets
/// the first go on with its partitions as if nothing had been. Only a look at what is committed tells that
/// its state is old.
#[test]
fn an_old_state_is_noticed_although_the_log_is_silent() {
    let oddities = Arc::new(Oddities::default());
    oddities.silent_losses.store(true, Ordering::SeqCst);
    let mut asleep: Option<DeskWorker> = None;
    let (fleet, books) = play(5, 1, 0, |fleet, step| match step % 600 {
        0 if step == 0 => {
            let log = Odd { log: Arc::new(fleet.log.clone()), oddities: Arc::clone(&oddities) };
            let desk = fleet.desk_on(Arc::new(log), Arc::new(fleet.hand.clone()), 0);
            fleet.desks.insert(0, desk);
        }
        200 => {
            asleep = fleet.desks.remove(&0);
            fleet.start_desk(1);
        }
        400 => fleet.leave_desk(1),
        401 => fleet.desks.extend(asleep.take().map(|desk| (0, desk))),
        _ => {}
    });
    assert!(oddities.were_silent.load(Ordering::SeqCst) >= 5, "it was told every time");
    assert!(count(&books, "purchase.confirmed") > 20, "{books:?}");
    assert!(fleet.restored > 40, "{}", fleet.restored);
}

/// A seek that says Ok and is lost.
#[test]
fn a_lost_seek_is_repeated() {
    let mut fleet = Fleet::new(6, 1, 0);
    let oddities = Arc::new(Oddities::default());
    oddities.lost_seeks.store(2, Ordering::SeqCst);
    let log = Odd { log: Arc::new(fleet.log.clone()), oddities };
    let desk = fleet.desk_on(Arc::new(log), Arc::new(fleet.hand.clone()), 0);
    fleet.desks.insert(0, desk);
    let mut maker = Maker::new(6);
    let times =
        |fleet: &Fleet| -> Vec<Time> { fleet.desks[&0].partitions().map(|(.., time)| time).collect() };
    idle(&mut fleet, &mut maker, 4);
    assert_eq!(times(&fleet).iter().filter(|time| **time == Time::ZERO).count(), 2, "two hear nothing");
    assert_eq!(fleet.sought, 0);
    idle(&mut fleet, &mut maker, 6);
    assert_eq!(fleet.sought, 2);
    let late = fleet.now().minus(10_000);
    assert!(times(&fleet).iter().all(|time| *time > late), "{:?}", times(&fleet));
    // Where nothing is lost nothing is sought, be it ever so quiet.
    for _ in 0..200 {
        fleet.pass(200);
        let desk = fleet.desks.get_mut(&0).unwrap();
        desk.turn(Duration::ZERO).unwrap();
        assert_eq!(desk.take_done().sought, 0);
    }
}

/// Brokers that are away for minutes, or half of whose answers are lost for one: nobody ends, and everything
/// is as it should be afterwards.
#[test]
fn brokers_go_away_and_come_back() {
    let outage = |step: Step<'_>| {
        let kind = match step {
            // The firehose has brokers of its own.
            Step::Send(partition) if &*partition.topic != "inbox" => return None,
            Step::Send(_) => Kind::Fenced,
            Step::Write(..) | Step::Offsets(_) => Kind::Abort,
            Step::Commit(_) | Step::Abort(_) => Kind::Unknown,
            Step::Begin(_) => return None,
            _ => Kind::Retry,
        };
        Some(Fault::Refused(kind))
    };
    let mut in_trouble = 0;
    let (fleet, books) = play(7, 1, 2, |fleet, step| {
        in_trouble += fleet.desks.values().filter(|desk| desk.state().trouble.is_some()).count();
        let faults: Option<Faults> = match step {
            // Longer than a session, and shorter.
            500 => Some(Box::new(outage)),
            1_700 | 1_900 => Some(Box::new(outage)),
            2_200 => {
                let mut rng = fastrand::Rng::with_seed(7);
                Some(Box::new(move |step| if rng.u32(0..10) < 3 { outage(step) } else { None }))
            }
            1_400 | 1_720 | 1_925 | 2_500 => None,
            _ => return,
        };
        fleet.log.set_faults(faults);
    });
    assert!(in_trouble > 1_000, "{in_trouble}");
    assert!(fleet.desks.values().all(|desk| desk.state().trouble.is_none()), "it is over");
    assert!(count(&books, "purchase.confirmed") > 10, "{books:?}");
}

/// The coordinator of transactions alone is away: nothing is read past while there is no producer.
#[test]
fn without_a_producer_nothing_is_passed_by() {
    let (fleet, books) = play(12, 1, 2, |fleet, step| {
        let faults: Option<Faults> = match step % 200 {
            50 => Some(Box::new(|step| match step {
                Step::Commit(_) => Some(Fault::Refused(Kind::Unknown)),
                Step::Init(_) => Some(Fault::Refused(Kind::Retry)),
                _ => None,
            })),
            150 => None,
            _ => return,
        };
        fleet.log.set_faults(faults);
    });
    assert!(fleet.aborts >= 18, "{}", fleet.aborts);
    assert!(count(&books, "purchase.confirmed") > 20, "{books:?}");
    let inbox = fleet.log.records("inbox").unwrap();
    let is_sighting =
        |record: &&Record| matches!(decode(record.value.as_deref().unwrap()).unwrap(), Inbox::Sighting(_));
    let sightings = inbox.iter().filter(is_sighting).count() as u64;
    let answered = fleet.told.iter().filter(|event| event.tweet().is_some()).count() as u64;
    let counted: u64 = fleet.nothing.iter().map(|(_, times)| times).sum();
    assert!(sightings <= answered + counted, "{sightings} sightings, {answered} answers, {counted} reasons");
}

/// Before the new producer is there the old one's transaction may still be committed: until then nobody asks what
/// came of it.
#[test]
fn the_new_producer_comes_before_the_state() {
    let early = Arc::new(AtomicUsize::new(0));
    let (fleet, books) = play(13, 1, 1, |fleet, step| {
        let faults: Option<Faults> = match step % 200 {
            50 => {
                let (early, mut in_doubt) = (Arc::clone(&early), false);
                Some(Box::new(move |step| match step {
                    Step::Commit(_) => {
                        in_doubt = true;
                        Some(Fault::Refused(Kind::Unknown))
                    }
                    Step::Init(_) => Some(Fault::Refused(Kind::Retry)),
                    Step::Committed("app-desk") if in_doubt => {
                        early.fetch_add(1, Ordering::SeqCst);
                        None
                    }
                    _ => None,
                }))
            }
            150 => None,
            _ => return,
        };
        fleet.log.set_faults(faults);
    });
    assert_eq!(early.load(Ordering::SeqCst), 0);
    assert!(
        fleet.aborts >= 9 && fleet.restored >= 36,
        "{} aborts, {} restored",
        fleet.aborts,
        fleet.restored
    );
    assert!(count(&books, "purchase.confirmed") > 20, "{books:?}");
}

/// A restore waits for brokers that are away; one that makes no progress although they answer is a failure.
#[test]
fn a_restore_waits_for_brokers_and_not_for_a_hanging_transaction() {
    for (answers, outcome) in [(false, true), (true, false)] {
        let mut fleet = Fleet::new(8, 1, 1);
        let refused = move |step: Step<'_>| match step {
            Step::Committed("app-desk") => Some(Fault::Refused(Kind::Retry)),
            Step::Watermarks(_) if !answers => Some(Fault::Refused(Kind::Retry)),
            _ => None,
        };
        fleet.log.set_faults(Some(Box::new(refused)));
        let mut desk = fleet.desks.remove(&0).unwrap();
        let mut turn = || {
            fleet.pass(1_000);
            desk.turn(Duration::ZERO)
        };
        let ended = (0..200).find_map(|_| turn().err());
        assert_eq!(ended.is_none(), outcome, "{ended:?}");
        if let Some(stop) = ended {
            assert!(stop.to_string().contains("hanging transaction"), "{stop}");
        }
    }
}

/// Two processes that take each other's place get something done every time, and would go on for ever.
#[test]
fn who_is_fenced_again_and_again_ends_and_says_why() {
    let (mut fleet, mut maker) = (Fleet::new(9, 1, 1), Maker::new(9));
    idle(&mut fleet, &mut maker, 5);
    let mut desk = fleet.desks.remove(&0).unwrap();
    let mut commits = 0;
    let stop = (0..300).find_map(|number| {
        if number % 10 == 0 {
            fleet.log.transactions("app-desk-0").unwrap();
        }
        step(&mut fleet, &mut maker);
        let ended = desk.turn(Duration::ZERO).err();
        commits += desk.take_done().commits;
        ended
    });
    let stop = stop.expect("it goes on for ever");
    assert!(matches!(stop, Stop::Fenced { .. }), "{stop}");
    let said = stop.to_string();
    assert!(said.contains("app-desk-0") && said.contains("give each process its own `instance`"), "{said}");
    assert!(commits > 3, "it has worked in between: {commits}");

    // Now and then is no reason to end.
    let (mut fleet, mut maker) = (Fleet::new(9, 1, 1), Maker::new(9));
    for number in 0..600 {
        if number % 50 == 0 {
            fleet.log.transactions("app-desk-0").unwrap();
        }
        step(&mut fleet, &mut maker);
    }
    assert!(fleet.restored > 40, "{}", fleet.restored);
}

/// Of two workers with one name the older ends, and the newer goes on.
#[test]
fn the_older_of_two_with_one_name_ends() {
    let (mut fleet, mut maker) = (Fleet::new(10, 1, 1), Maker::new(10));
    idle(&mut fleet, &mut maker, 5);
    let mut older = fleet.desks.remove(&0).unwrap();
    fleet.start_desk(0);
    let ended = (0..50).find_map(|_| {
        step(&mut fleet, &mut maker);
        older.turn(Duration::ZERO).err()
    });
    let said = ended.expect("the older goes on").to_string();
    assert!(said.contains("app-desk-0"), "{said}");
    idle(&mut fleet, &mut maker, 5);
    assert!(fleet.desks[&0].partitions().all(|(.., time)| time > fleet.now().minus(10_000)));
}

/// A clock beside another.
struct Off(Hand, i64);

impl Clock for Off {
    fn now(&self) -> Time {
        self.0.now().plus(self.1)
    }
}

/// A worker finds out by its deliveries that its clock is off, and by how much.
#[test]
fn a_clock_that_is_off_is_noticed() {
    for off in [7_000, -7_000, 0] {
        let (mut fleet, mut maker) = (Fleet::new(11, 1, 0), Maker::new(11));
        let clock = Arc::new(Off(fleet.hand.clone(), off));
        let desk = fleet.desk_on(Arc::new(fleet.log.clone()), clock, 0);
        fleet.desks.insert(0, desk);
        assert_eq!(fleet.desks[&0].state().clock_offset, 0);
        idle(&mut fleet, &mut maker, 10);
        assert_eq!(fleet.desks[&0].state().clock_offset, off);
    }
}

/// A log with the topics of the fleet, one of them otherwise.
fn topics_with(odd: &str, settings: Option<TopicSettings>) -> (MemoryLog, Hand) {
    let hand = Hand::default();
    hand.set(START);
    let clock = hand.clone();
    let log = MemoryLog::new(
        Arc::new(move || clock.now()),
        MemorySettings { blocks: false, ..MemorySettings::default() },
    );
    for need in needs::needs(&Topics::default()) {
        let compact = need.settings.iter().any(|setting| setting.value == "compact");
        let cleanup = if compact { Cleanup::Compact } else { Cleanup::Keep };
        let usual = TopicSettings { cleanup, ..TopicSettings::new(4) };
        let settings = if need.topic == odd { settings.clone() } else { Some(usual) };
        settings.into_iter().for_each(|settings| log.create_topic(&need.topic, settings).unwrap());
    }
    (log, hand)
}

/// What does not fit is named, with the value, and the command that mends it.
#[test]
fn topics_that_do_not_fit_are_refused() {
    let usual = TopicSettings::new(4);
    let compact = TopicSettings { cleanup: Cleanup::Compact, ..usual.clone() };
    let created =
        |settings: &TopicSettings| TopicSettings { timestamps: Timestamps::Create, ..settings.clone() };
    let fewer = TopicSettings { partitions: 3, ..compact.clone() };
    for (topic, settings, parts) in [
        ("desk-changelog", Some(usual.clone()), &["cleanup.policy=delete", "cleanup.policy=compact`"][..]),
        (
            "desk-changelog",
            Some(created(&compact)),
            &["message.timestamp.type=CreateTime", "=LogAppendTime`"],
        ),
        ("inbox", Some(created(&usual)), &["message.timestamp.type=CreateTime", "kafka-configs"]),
        ("offers", Some(usual.clone()), &["cleanup.policy=delete", "--entity-name offers"]),
        ("accounts", Some(usual.clone()), &["cleanup.policy=delete", "--entity-name accounts"]),
        ("desk-changelog", Some(fewer), &["has 3 partitions", "inbox has 4", "--partitions 4`"]),
        ("orders", None, &["there is no topic orders", "`hashbuy topics create`"]),
    ] {
        let (log, _) = topics_with(topic, settings);
        let stop = needs::check(&mut *log.lookup().unwrap(), &Topics::default(), By::Both).unwrap_err();
        let Stop::Topics(misfits) = &stop else { panic!("{stop}") };
        assert_eq!(misfits.len(), 1, "{misfits:?}");
        let said = stop.to_string();
        assert!(parts.iter().chain([&topic]).all(|part| said.contains(part)), "{topic}: {said}");
    }
    let (log, _) = topics_with("", None);
    needs::check(&mut *log.lookup().unwrap(), &Topics::default(), By::Both).unwrap();
    // What another stage needs does not matter here.
    let (log, _) = topics_with("tweets", None);
    needs::check(&mut *log.lookup().unwrap(), &Topics::default(), By::Desk).unwrap();
    let all = MemoryLog::new(Arc::new(|| Time::ZERO), MemorySettings::default());
    let stop = needs::check(&mut *all.lookup().unwrap(), &Topics::default(), By::Both).unwrap_err();
    let said = stop.to_string();
    assert!(needs::needs(&Topics::default()).iter().all(|need| said.contains(&need.topic)), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// The same of an inbox: the keeper writes into each partition every second, and finds out first.
#[test]
fn an_inbox_with_the_producers_times_is_found_out() {
    let settings = TopicSettings { timestamps: Timestamps::Create, ..TopicSettings::new(4) };
    let (log, hand) = topics_with("inbox", Some(settings));
    let options = KeeperOptions {
        app: "app".into(),
        topics: Topics::default(),
        settings: Settings::default().into(),
        silence: Silence::Wait,
    };
    let mut keeper = Keeper::new(Arc::new(log), Arc::new(hand), options).unwrap();
    let stop = keeper.turn().unwrap_err();
    assert!(matches!(&stop, Stop::Topics(misfits) if *misfits == [Misfit::create_time("inbox")]), "{stop}");
}

/// A changelog whose records have the producer's time: the first delivery tells, and the worker ends.
#[test]
fn a_changelog_with_the_producers_times_is_found_out() {
    let settings = TopicSettings { timestamps: Timestamps::Create, cleanup: Cleanup::Compact, partitions: 4 };
    let (log, hand) = topics_with("desk-changelog", Some(settings));
    let mark = Inbox::Mark { time: Time::from_millis(START), settings: Settings::default().into() };
    let (partition, value) = (Partition::new("inbox", 0), Some(encode(&mark)));
    let mut producer = log.producer().unwrap();
    producer.send(NewRecord { partition, key: None, value, headers: Vec::new() }).unwrap();
    let shared: Arc<dyn Log> = Arc::new(log);
    let mut desk = DeskWorker::new(shared, Arc::new(hand.clone()), desk_options(0)).unwrap();
    let stop = (0..20).find_map(|_| {
        hand.set(hand.now().millis() + 100);
        desk.turn(Duration::ZERO).err()
    });
    let Some(Stop::Topics(misfits)) = &stop else { panic!("{stop:?}") };
    assert_eq!(*misfits, [Misfit::create_time("desk-changelog")]);
}
