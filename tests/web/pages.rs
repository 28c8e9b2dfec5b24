//! What is answered, and to whom.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::demo::{Case, Demo, PATIENCE};

/// What stands in the place of a code.
pub const HIDDEN: &str = "#Confirm········";

pub const CASES: &[Case] = &[
    ("every_answer_says_what_a_browser_may_do_with_it", every_answer_says_what_a_browser_may_do_with_it),
    ("the_offers_are_listed", the_offers_are_listed),
    ("the_page_is_whole_without_a_script", the_page_is_whole_without_a_script),
    ("no_code_and_no_account_is_on_any_page", no_code_and_no_account_is_on_any_page),
    ("what_changes_is_sent", what_changes_is_sent),
    ("only_this_machine_is_answered", only_this_machine_is_answered),
    (
        "a_visitor_buys_and_kills_and_nothing_happens_twice",
        a_visitor_buys_and_kills_and_nothing_happens_twice,
    ),
    ("a_form_from_elsewhere_or_too_large_does_nothing", a_form_from_elsewhere_or_too_large_does_nothing),
    ("who_asks_for_too_much_is_refused", who_asks_for_too_much_is_refused),
    ("probes_are_answered_however_many_hold_connections", probes_are_answered_however_many_hold_connections),
    ("who_reads_nothing_is_cut_off", who_reads_nothing_is_cut_off),
];

fn every_answer_says_what_a_browser_may_do_with_it(demo: &Demo) {
    for (path, status, kind) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/offers", 200, "text/html; charset=utf-8"),
        ("/offers.json", 200, "application/json"),
        ("/page.css", 200, "text/css"),
        ("/page.js", 200, "text/javascript"),
        ("/metrics", 200, "text/plain; version=0.0.4; charset=utf-8"),
        ("/readyz", 200, "text/plain; charset=utf-8"),
        ("/nothing", 404, ""),
    ] {
        let answer = demo.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{path}: {}", answer.head);
        let policy = answer.header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.split("; ").any(|is| is == rule), "{path}: {rule} is not in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
    }
    assert_eq!(demo.ask("POST /offers", "Content-Length: 0\r\n", "").status, 405);
}

fn the_offers_are_listed(demo: &Demo) {
    let json: Value = serde_json::from_str(&demo.get("/offers.json").body).unwrap();
    let offers = json["offers"].as_array().unwrap();
    let coupons = offers.iter().filter(|offer| offer["kind"] == "coupon").count();
    assert_eq!((offers.len(), coupons), (13, 4), "{json}");
    let page = demo.get("/offers").body;
    for offer in offers {
        let tag = offer["hashtag"].as_str().unwrap();
        assert!(page.contains(&format!(">{tag}</b>")), "{tag}: {page}");
        let amount = if offer["kind"] == "coupon" { "credit" } else { "price" };
        assert!(offer[amount]["amount"].is_u64() && offer["ends_at"].is_string(), "{offer}");
    }
    // Of the globe there are twelve at first, and twelve more now and then.
    let globe = offers.iter().find(|offer| offer["offer_id"] == "globe").unwrap();
    let (left, stock) = (globe["left"].as_u64().unwrap(), globe["stock"].as_u64().unwrap());
    assert!(left <= stock && stock.is_multiple_of(12), "{globe}");
    assert_eq!(globe["sold_out"], Value::Bool(left == 0), "{globe}");
    assert!(offers.iter().any(|offer| offer["left"].is_null()), "others have no stock");
}

fn the_page_is_whole_without_a_script(demo: &Demo) {
    let page = demo.await_on("/", "Ready.");
    for part in [
        "<html lang=\"en\">",
        "<main id=\"main\"",
        "<nav aria-label=\"Pages\">",
        "role=\"status\"",
        "<h1>How it goes</h1>",
        "<caption>Refusals by reason, last hour</caption>",
        "Confirmed in under 2 s",
        "<th scope=\"row\">desk 0</th>",
        "Partitions of the inbox",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    // Only files of its own.
    assert!(!page.contains("style=") && !page.contains("onclick=") && !page.contains("://"), "{page}");
    for (n, (tag, end)) in [("<script", "</script>"), ("<style", "</style>")].into_iter().enumerate() {
        assert_eq!(page.matches(tag).count(), 1 - n, "{tag}");
        assert!(!page.contains(tag) || page.contains(&format!("defer>{end}")), "{tag} has something in it");
    }
}

/// Made-up people confirm all the time: their codes are in the events, and on no page.
fn no_code_and_no_account_is_on_any_page(demo: &Demo) {
    let until = Instant::now() + PATIENCE;
    // The ids of account holders in the demo.
    let holders = 1_500_000_001..1_500_000_400_u64;
    let (mut rounds, mut codes) = (0, BTreeSet::new());
    while rounds < 20 || codes.len() < 5 {
        assert!(Instant::now() < until, "few codes: {codes:?}");
        let told = demo.told();
        codes.extend(told.split("#Confirm").skip(1).filter_map(|rest| rest.get(..8)).map(str::to_owned));
        for path in ["/", "/offers", "/offers.json", "/metrics"] {
            let body = demo.get(path).body;
            assert!(!body.replace(HIDDEN, "").contains("#Confirm"), "{path}: {body}");
            assert!(!codes.iter().any(|code| body.contains(code)), "{path}: {codes:?} {body}");
            assert!(!body.contains("tok_") && !body.contains("addr_"), "{path}: {body}");
            let shown = holders.clone().find(|id| body.contains(&id.to_string()));
            assert_eq!(shown, None, "{path}: {body}");
        }
        rounds += 1;
    }
}

fn what_changes_is_sent(demo: &Demo) {
    let mut stream = demo.connect();
    write!(stream, "GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", demo.address).unwrap();
    let (mut text, mut bytes) = (String::new(), [0; 4_096]);
    while text.matches("data: {").count() < 2 {
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "it has ended: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    assert!(text.contains("\"figures\":\"<h2>Now"), "{text}");
    assert_eq!(text.matches("\"posts\":").count(), 1, "what is as it was is not sent again: {text}");
}

fn only_this_machine_is_answered(demo: &Demo) {
    let port = demo.address.rsplit(':').next().unwrap();
    let answer = |host: &str| demo.ask("GET /", &format!("Host: {host}\r\n"), "").status;
    assert_eq!(answer(&format!("localhost:{port}")), 200);
    assert_eq!(answer(&format!("rebound.example:{port}")), 421);
}

fn who_asks_for_too_much_is_refused(demo: &Demo) {
    let long = format!("X-Long: {}\r\n", "x".repeat(64 << 10));
    let status = demo.ask("GET /", &long, "").status;
    assert!([0, 431].contains(&status), "headers without an end: {status}");

    // Who never says what he wants is sent away.
    let mut slow = demo.connect();
    slow.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let began = Instant::now();
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!((2..15).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());

    // Sixteen may watch at a time, all others go on to read.
    let watch = format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", demo.address);
    let mut watchers = Vec::new();
    for _ in 0..16 {
        let mut stream = demo.connect();
        stream.write_all(watch.as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        watchers.push((stream, first));
    }
    let served = watchers.iter().filter(|(_, first)| first.ends_with(b"200")).count();
    assert!((10..=16).contains(&served), "{served}");
    assert_eq!(demo.get("/events").status, 503);
    assert_eq!(demo.get("/").status, 200);
}

/// A demo of its own, whose connections are all held by some who say half of what they want, again and again.
fn probes_are_answered_however_many_hold_connections(_: &Demo) {
    let demo = Demo::start();
    let hold = || {
        let mut stream = demo.connect();
        stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        stream
    };
    // More than there are places, and than there are in reserve.
    let held: Vec<_> = (0..64 + 8 + 20).map(|_| hold()).collect();
    let began = Instant::now();
    let (mut probes, mut refused) = (0, 0);
    // Those in the places are sent away after five seconds.
    while began.elapsed() < Duration::from_secs(3) {
        let _more = [hold(), hold()];
        for path in ["/healthz", "/readyz"] {
            let asked = Instant::now();
            let answer = demo.get(path);
            assert_eq!((answer.status, path), (200, path), "{}", answer.head);
            assert!(asked.elapsed() < Duration::from_secs(1), "{path} took {:?}", asked.elapsed());
            probes += 1;
        }
        refused += u32::from(demo.get("/").status == 503);
    }
    assert!(probes > 10 && refused > 5, "{probes} probes, {refused} others");
    drop(held);
    demo.await_on("/", "How it goes");
}

/// Whoever asks for much and reads none of it is not waited for.
fn who_reads_nothing_is_cut_off(demo: &Demo) {
    let mut stream = demo.connect();
    let ask = format!("GET /page.css HTTP/1.1\r\nHost: {}\r\n\r\n", demo.address).repeat(200);
    stream.set_write_timeout(Some(Duration::from_secs(40))).unwrap();
    let began = Instant::now();
    // The system's buffers take some megabytes, then nothing more is taken in either: until the end.
    let failed = (0..2_000).find_map(|_| stream.write_all(ask.as_bytes()).err());
    let failed = failed.unwrap();
    assert!(!matches!(failed.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{failed}");
    assert!((8..35).contains(&began.elapsed().as_secs()), "{:?}: {failed}", began.elapsed());
    assert_eq!(demo.get("/healthz").status, 200);
}

fn post(demo: &Demo, path: &str, headers: &str, form: &str) -> u16 {
    let headers = format!("{headers}Content-Length: {}\r\n", form.len());
    demo.ask(&format!("POST {path}"), &headers, form).status
}

fn a_visitor_buys_and_kills_and_nothing_happens_twice(demo: &Demo) {
    assert_eq!(post(demo, "/demo/tweet", "", "guest=0&act=confirm"), 303);
    demo.await_on("/", "There is no code yet");
    assert_eq!(post(demo, "/demo/kill", "", ""), 303);
    demo.await_on("/", "<span class=\"value\">1</span> <span class=\"more\">all are at work");
    // The code of the guests' own offer is good for a minute on the wall.
    let done = "@ada Done: Jigsaw Puzzle";
    assert_eq!(post(demo, "/demo/tweet", "", "guest=0&act=tweet&text=%3Cb%3E+%23BuyPuzzle"), 303);
    let page = demo.await_on("/", &format!("@ada Tweet {HIDDEN}"));
    assert!(!page.contains("<b> #"), "{page}");
    assert_eq!(post(demo, "/demo/tweet", "", "guest=0&act=confirm"), 303);
    demo.await_on("/", done);
    // Once more: the code has done what it can.
    assert_eq!(post(demo, "/demo/tweet", "", "guest=0&act=confirm"), 303);
    thread::sleep(Duration::from_secs(2));
    // A coupon takes one step.
    assert_eq!(post(demo, "/demo/tweet", "", "guest=0&act=tweet&text=%23LoadBooks"), 303);
    let page = demo.await_on("/", "<td>@ada</td><td><span class=\"loaded\">");
    assert_eq!(page.matches(done).count(), 1, "{page}");
    assert!(page.contains("<dt>Double purchases</dt><dd><span class=\"value\">0</span>"), "{page}");
}

fn a_form_from_elsewhere_or_too_large_does_nothing(demo: &Demo) {
    let tweet = "guest=2&text=%23BuyKite";
    for headers in ["Origin: https://evil.example\r\n", "Origin: null\r\n"] {
        assert_eq!(post(demo, "/demo/tweet", headers, tweet), 403);
        assert_eq!(post(demo, "/demo/kill", headers, ""), 403);
    }
    assert_eq!(post(demo, "/demo/tweet", "", &format!("{tweet}{}", "x".repeat(20_000))), 413);
    assert_eq!(post(demo, "/demo/tweet", "", "guest=9&text=x"), 400);
    assert_eq!(demo.get("/demo/kill").status, 405);
    // Had it been taken, the answer would be there by now.
    thread::sleep(Duration::from_secs(1));
    let page = demo.get("/").body;
    assert!(page.contains(">@linus</option>") && !page.contains("<td>@linus</td>"), "{page}");
}
