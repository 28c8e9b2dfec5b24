//! The token of the page, with the program as it is run.

use crate::broker::Broker;
use crate::shop::open;
use crate::world::World;

/// A case.
pub type Case = (&'static str, fn(&Broker));

pub const CASES: &[Case] = &[
    ("who_has_no_token_sees_the_public_list_alone", who_has_no_token_sees_the_public_list_alone),
    ("a_token_that_protects_nobody_is_refused", a_token_that_protects_nobody_is_refused),
];

const TOKEN: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn who_has_no_token_sees_the_public_list_alone(broker: &Broker) {
    let mut world = World::new(&broker.bootstrap);
    open(&mut world);
    let file = world.folder.write("token", format!("{TOKEN}\n"));
    let mut service = world.run_as("a", &[&format!("--set=web.token_file={}", file.display())]);
    service.await_ready();
    for path in ["/offers", "/offers.json", "/healthz", "/readyz", "/page.css", "/page.js"] {
        assert_eq!(service.ask(path, "").0, 200, "{path}");
    }
    for path in ["/", "/events", "/metrics", "/nothing"] {
        let (status, head, body) = service.ask(path, "");
        assert_eq!(status, 401, "{path}: {body}");
        assert!(head.contains("www-authenticate: Basic realm=\"hashbuy\""), "{head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
        assert!(!body.contains("How it goes"), "{body}");
        assert_eq!(service.ask(path, "Authorization: Bearer d41d8cd98f00b204e9800998ecf8427f\r\n").0, 401);
    }
    let (status, _, body) = service.ask("/", &format!("Authorization: Bearer {TOKEN}\r\n"));
    assert_eq!(status, 200);
    assert!(body.contains("How it goes") && !body.contains(TOKEN), "{body}");
    // `hashbuy:TOKEN`, as a browser sends it.
    let basic = "Authorization: Basic aGFzaGJ1eTpkNDFkOGNkOThmMDBiMjA0ZTk4MDA5OThlY2Y4NDI3ZQ==\r\n";
    let (status, _, body) = service.ask("/metrics", basic);
    assert_eq!(status, 200);
    assert!(body.contains("hashbuy_"), "{body}");
    assert!(!service.log().contains(TOKEN), "{}", service.log());
    service.stop();
}

fn a_token_that_protects_nobody_is_refused(broker: &Broker) {
    let world = World::new(&broker.bootstrap);
    for (content, why) in [("short\n", "20 to 4,096 visible ASCII"), ("", "20 to 4,096 visible ASCII")] {
        let file = world.folder.write("token", content);
        let run = world.command(&["run", &format!("--set=web.token_file={}", file.display())]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(why) && run.stderr.contains("web.token_file"), "{}", run.stderr);
    }
    let run = world.command(&["run", "--set=web.token_file=nowhere"]);
    assert!(
        run.code == Some(2) && run.stderr.contains("web.token_file nowhere: cannot be read"),
        "{}",
        run.stderr
    );
    let run = world.command(&["run", "--set=web.address=0.0.0.0", "--set=web.show_ids=true"]);
    assert!(run.code == Some(2) && run.stderr.contains("set web.token_file"), "{}", run.stderr);
}
