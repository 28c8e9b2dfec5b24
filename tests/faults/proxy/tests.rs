//! The proxy itself, between a client and a broker that are a few lines each.

use std::io::{Cursor, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::frame::{self, Api, Request};
use super::{Deed, ERROR, Proxy, Rule, Way};

/// The cases, by their names.
pub const ALL: &[(&str, fn())] = &[
    ("proxy_frames_come_whole", frames_come_whole),
    ("proxy_stays_in_the_way", stays_in_the_way),
    ("proxy_catches_what_it_is_told", catches_what_it_is_told),
    ("proxy_holds_and_forges", holds_and_forges),
    ("proxy_outlives_its_client", outlives_its_client),
];

const SOON: Duration = Duration::from_secs(10);
const NOBODY: u16 = 1;

/// A request: API, version, number, the client's name, and something behind it.
fn request(api: Api, version: i16, number: i32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = [&api.0.to_be_bytes()[..], &version.to_be_bytes(), &number.to_be_bytes()].concat();
    bytes.extend_from_slice(b"\0\x01c");
    bytes.extend_from_slice(rest);
    bytes
}

/// A broker that answers each request with its number and whatever stands behind the client's name.
fn echo() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let accepting = listener.try_clone().unwrap();
    thread::spawn(move || {
        for stream in accepting.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                while let Ok(bytes) = frame::read(&mut stream) {
                    if frame::write(&mut stream, &[&bytes[4..8], &bytes[11..]].concat()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (listener, address)
}

fn ask(client: &mut TcpStream, bytes: &[u8]) -> Option<Vec<u8>> {
    frame::write(client, bytes).ok()?;
    frame::read(client).ok()
}

fn client(proxy: &Proxy) -> TcpStream {
    let client = TcpStream::connect(&proxy.bootstrap).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    client
}

fn frames_come_whole() {
    let mut wire = Vec::new();
    frame::write(&mut wire, b"one").unwrap();
    frame::write(&mut wire, b"").unwrap();
    assert_eq!(wire, b"\0\0\0\x03one\0\0\0\0");
    let mut wire = Cursor::new(wire);
    assert_eq!(frame::read(&mut wire).unwrap(), b"one");
    assert_eq!(frame::read(&mut wire).unwrap(), b"");
    assert_eq!(frame::read(&mut wire).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert!(frame::read(&mut Cursor::new(b"GET / HTTP/1.1\r\n")).is_err());
    let asked = Request::of(&request(Api::END_TXN, 1, 77, b"\0\x05a-b-0")).unwrap();
    assert_eq!((asked.api, asked.version, asked.number), (Api::END_TXN, 1, 77));
    assert!(asked.contains(b"a-b-0") && asked.contains(b"") && !asked.contains(b"a-b-1"));
    assert_eq!(Request::of(b"\0\x1a\0\x01"), None);
}

/// The answers that name brokers, and the one that tells the versions.
fn stays_in_the_way() {
    let own = |port: u16| port + 1;
    let rewritten = |api: Api, version: i16, answer: &[u8]| {
        let mut answer = answer.to_vec();
        frame::rewrite(&Request::of(&request(api, version, 7, b"")).unwrap(), &mut answer, &own);
        answer
    };
    // Two brokers, the second with a rack and a tag; then what is not looked at.
    let metadata = b"\0\0\0\x07\0\0\0\0\0\x03\0\0\0\x01\x02h\0\0\x23\x84\0\0\0\0\0\x02\x02h\0\0\x23\x8a\x02r\x01\x05\x01!\x09rest";
    let expected = b"\0\0\0\x07\0\0\0\0\0\x03\0\0\0\x01\x02h\0\0\x23\x85\0\0\0\0\0\x02\x02h\0\0\x23\x8b\x02r\x01\x05\x01!\x09rest";
    assert_eq!(rewritten(Api::METADATA, 12, metadata), expected);
    let coordinator = b"\0\0\0\x07\0\0\0\0\0\0\xff\xff\0\0\0\x01\0\x01h\0\0\x23\x84";
    let expected = b"\0\0\0\x07\0\0\0\0\0\0\xff\xff\0\0\0\x01\0\x01h\0\0\x23\x85";
    assert_eq!(rewritten(Api::FIND_COORDINATOR, 2, coordinator), expected);
    let unknown = b"\0\0\0\x07\0\0\0\0\0\x0f\0\x02no\xff\xff\xff\xff\0\0\xff\xff\xff\xff";
    assert_eq!(rewritten(Api::FIND_COORDINATOR, 1, unknown), unknown);
    // Metadata 0 to 13, DescribeGroups 0 to 6, FindCoordinator 0 to 6.
    let versions = b"\0\0\0\x07\0\0\x04\0\x03\0\0\0\x0d\0\0\x0f\0\0\0\x06\0\0\x0a\0\0\0\x06\0\0\0\0\0\0";
    let expected = b"\0\0\0\x07\0\0\x04\0\x03\0\0\0\x0c\0\0\x0f\0\0\0\x06\0\0\x0a\0\0\0\x02\0\0\0\0\0\0";
    assert_eq!(rewritten(Api::API_VERSIONS, 3, versions), expected);
    let versions = b"\0\0\0\x07\0\x23\0\0\0\x01\0\x12\0\0\0\x04";
    assert_eq!(rewritten(Api::API_VERSIONS, 0, versions), versions);
}

fn catches_what_it_is_told() {
    let (_listener, address) = echo();
    let proxy = Proxy::to(&address);
    let trap = proxy.add(Rule::new(Way::Request, Api::END_TXN, Deed::Cut).of("me").skip(1).times(1));
    let mut first = client(&proxy);
    let end = |number, whose: &[u8]| request(Api::END_TXN, 1, number, whose);
    assert_eq!(ask(&mut first, &end(1, b"you")).unwrap(), b"\0\0\0\x01you");
    assert_eq!(ask(&mut first, &end(2, b"me")).unwrap(), b"\0\0\0\x02me", "the first is left alone");
    assert_eq!(ask(&mut first, &request(Api::PRODUCE, 9, 3, b"me")).unwrap(), b"\0\0\0\x03me");
    assert_eq!((trap.caught(), ask(&mut first, &end(4, b"me"))), (0, None));
    assert_eq!(trap.caught(), 1);
    let mut second = client(&proxy);
    assert_eq!(ask(&mut second, &end(5, b"me")).unwrap(), b"\0\0\0\x05me", "once only");

    // An answer that is lost, and the next one that is not.
    let trap = proxy.add(Rule::new(Way::Answer, Api::END_TXN, Deed::Swallow).times(1));
    assert_eq!(ask(&mut second, &end(6, b"me")), None);
    assert!(trap.has_caught(SOON));
    assert_eq!(ask(&mut second, &end(7, b"me")).unwrap(), b"\0\0\0\x07me");
    assert_ne!(proxy.bootstrap, format!("127.0.0.1:{NOBODY}"));
}

fn holds_and_forges() {
    let (_listener, address) = echo();
    let proxy = Proxy::to(&address);
    let mut client = client(&proxy);
    let trap = proxy.add(Rule::new(Way::Request, Api::END_TXN, Deed::Hold));
    frame::write(&mut client, &request(Api::END_TXN, 1, 1, b"held")).unwrap();
    assert!(trap.has_caught(SOON));
    assert!(frame::read(&mut client).is_err(), "it is held");
    trap.release();
    assert_eq!(frame::read(&mut client).unwrap(), b"\0\0\0\x01held");

    let rule = Rule::new(Way::Answer, Api::HEARTBEAT, Deed::Error(ERROR, 22)).times(1);
    let trap = proxy.add(rule);
    let beat = request(Api::HEARTBEAT, 3, 2, b"\0\0\0\0\0\0");
    assert_eq!(ask(&mut client, &beat).unwrap(), b"\0\0\0\x02\0\0\0\0\0\x16");
    assert_eq!(ask(&mut client, &beat).unwrap(), b"\0\0\0\x02\0\0\0\0\0\0");
    drop(trap);

    // A cable that is pulled and put back: late, but there.
    proxy.cut();
    frame::write(&mut client, &beat).unwrap();
    assert!(frame::read(&mut client).is_err());
    proxy.restore();
    assert_eq!(frame::read(&mut client).unwrap(), b"\0\0\0\x02\0\0\0\0\0\0");
    let broker = address.rsplit_once(':').unwrap().1.parse().unwrap();
    proxy.cut_from(broker);
    assert_eq!(ask(&mut client, &beat), None);
    proxy.restore_to(broker);
    assert!(frame::read(&mut client).is_ok());
    proxy.sever();
    assert_eq!(ask(&mut client, &beat), None);
}

/// What was held when the client went away arrives all the same: so a request comes late.
fn outlives_its_client() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::to(&listener.local_addr().unwrap().to_string());
    let mut client = client(&proxy);
    let trap = proxy.add(Rule::new(Way::Request, Api::END_TXN, Deed::Hold));
    let end = request(Api::END_TXN, 1, 1, b"late");
    frame::write(&mut client, &end).unwrap();
    assert!(trap.has_caught(SOON));
    drop(client);
    let (mut broker, _) = listener.accept().unwrap();
    trap.release();
    assert_eq!(frame::read(&mut broker).unwrap(), end);
    let answered = Instant::now();
    frame::write(&mut broker, b"\0\0\0\x01").unwrap();
    assert!(frame::read(&mut broker).is_err(), "then it is over");
    assert!(answered.elapsed() < SOON);
}
