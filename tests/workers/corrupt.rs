//! What we did not write in topics of our own is corruption: a desk stops, and never skips (I9).

use std::time::Duration;

use hashbuy::worker::Stop;

use crate::fleet::Fleet;

/// Turns a fleet's only desk until it stops.
fn stop_of(fleet: &mut Fleet) -> Stop {
    for _ in 0..100 {
        fleet.pass(100);
        if let Some(desk) = fleet.desks.get_mut(&0)
            && let Err(stop) = desk.turn(Duration::ZERO)
        {
            return stop;
        }
    }
    panic!("the desk has not stopped");
}

#[test]
fn what_we_did_not_write_stops_a_desk() {
    for (topic, poison, named) in [
        ("inbox", &b"no json"[..], "did not write"),
        ("inbox", b"\xff\xfe{}", "did not write"),
        ("inbox", br#"{"v":99,"type":"sold","offer_id":"pot"}"#, "version 99"),
        ("inbox", br#"{"v":1,"type":"gift"}"#, "did not write"),
        ("desk-changelog", b"[]", "did not write"),
        ("desk-changelog", br#"{"v":1,"entity":"account"}"#, "did not write"),
    ] {
        let mut fleet = Fleet::new(21, 1, 0);
        fleet.write(topic, 1, Some(b"account/7".to_vec()), Some(poison.to_vec()));
        fleet.start_desk(0);
        let stop = stop_of(&mut fleet);
        let Stop::Corrupt { place, .. } = &stop else { panic!("{stop}") };
        assert!(place.starts_with(&format!("{topic}/1@0")), "{place}");
        assert!(stop.to_string().contains(named), "{stop}");
        // The next one finds it again: nothing was passed by.
        fleet.kill_desk(0);
        fleet.pass(60_000);
        fleet.start_desk(0);
        assert!(matches!(stop_of(&mut fleet), Stop::Corrupt { .. }));
    }
}
