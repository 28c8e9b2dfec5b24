//! Requests and answers of Kafka's protocol, as far as a proxy has to know them.
//!
//! Each is a frame: its length in four bytes, then that many bytes. A request begins with its API, the version of
//! that, and a number; the answer begins with the same number. Only three answers are changed: *ApiVersions*, so that
//! the client uses no version that this cannot read, and the two that name addresses of brokers, *Metadata* and
//! *FindCoordinator*, so that it stays with the proxy.

use std::io::{self, Read, Write};

/// The number of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api(pub i16);

impl Api {
    pub const PRODUCE: Api = Api(0);
    pub const FETCH: Api = Api(1);
    pub const METADATA: Api = Api(3);
    pub const FIND_COORDINATOR: Api = Api(10);
    pub const JOIN_GROUP: Api = Api(11);
    pub const HEARTBEAT: Api = Api(12);
    pub const API_VERSIONS: Api = Api(18);
    pub const INIT_PRODUCER_ID: Api = Api(22);
    pub const ADD_PARTITIONS_TO_TXN: Api = Api(24);
    pub const ADD_OFFSETS_TO_TXN: Api = Api(25);
    pub const END_TXN: Api = Api(26);
    pub const TXN_OFFSET_COMMIT: Api = Api(28);
}

/// The highest versions that a client is told of. Metadata and FindCoordinator: the last whose layout is known here.
/// Produce and Fetch: later ones name the brokers that lead, past the proxy. Heartbeat: the error stands at
/// [`ERROR`].
const HIGHEST: [(Api, i16); 5] = [
    (Api::METADATA, 12),
    (Api::FIND_COORDINATOR, 2),
    (Api::PRODUCE, 9),
    (Api::FETCH, 15),
    (Api::HEARTBEAT, 3),
];

/// Where the error stands in the answers of a group's coordinator and of the transactions': behind the number and how
/// long to be throttled.
pub const ERROR: usize = 8;
/// The same for *InitProducerId* in the compact layout.
pub const INIT_ERROR: usize = 9;

/// No frame of a test is larger.
const MAX_FRAME: usize = 100 << 20;

/// What is remembered of a request until its answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub api: Api,
    pub version: i16,
    pub number: i32,
    /// The first bytes of it: ids and names stand there.
    pub head: Vec<u8>,
}

impl Request {
    /// So many of its bytes are remembered.
    const HEAD: usize = 512;

    /// Reads the beginning of a frame. None if it is too short for a request.
    pub fn of(frame: &[u8]) -> Option<Request> {
        Some(Request {
            api: Api(i16_at(frame, 0)?),
            version: i16_at(frame, 2)?,
            number: i32_at(frame, 4)?,
            head: frame[..frame.len().min(Request::HEAD)].to_vec(),
        })
    }

    /// Whether some bytes stand near its beginning.
    pub fn contains(&self, bytes: &[u8]) -> bool {
        bytes.is_empty() || self.head.windows(bytes.len()).any(|window| window == bytes)
    }
}

/// Reads a frame without its length.
pub fn read(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_be_bytes(length)).ok().filter(|length| *length <= MAX_FRAME);
    let length = length.ok_or_else(|| io::Error::other("this is not Kafka's protocol"))?;
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

/// Writes a frame with its length, in one piece.
pub fn write(stream: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let length = i32::try_from(frame.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), frame].concat())
}

/// The number of the request that a frame answers.
pub fn answered(frame: &[u8]) -> Option<i32> {
    i32_at(frame, 0)
}

/// Puts an error code into an answer.
pub fn put_error(frame: &mut [u8], at: usize, code: i16) {
    frame[at..at + 2].copy_from_slice(&code.to_be_bytes());
}

/// Changes an answer so that the client stays with the proxy; `own` gives the proxy's port for a broker's.
///
/// # Panics
/// If the layout is not what it has to be: the client uses a version that it was not told of.
pub fn rewrite(request: &Request, frame: &mut [u8], own: &dyn Fn(u16) -> u16) {
    let rewritten = match request.api {
        Api::API_VERSIONS => cap_versions(request.version, frame),
        Api::METADATA => rewrite_metadata(request.version, frame, own),
        Api::FIND_COORDINATOR => rewrite_coordinator(request.version, frame, own),
        _ => Some(()),
    };
    rewritten.unwrap_or_else(|| {
        panic!("{:?} version {} is not understood: {frame:?}", request.api, request.version)
    });
}

/// Number, error, then (api, lowest, highest) of each; from version 3 in the compact layout.
fn cap_versions(version: i16, frame: &mut [u8]) -> Option<()> {
    let mut at = 6;
    let compact = version >= 3;
    let count = if compact {
        varint(frame, &mut at)?.checked_sub(1)?
    } else {
        let count = usize::try_from(i32_at(frame, at)?).ok()?;
        at += 4;
        count
    };
    for _ in 0..count {
        let api = Api(i16_at(frame, at)?);
        if let Some((_, highest)) = HIGHEST.iter().find(|(capped, _)| *capped == api) {
            let allowed = i16_at(frame, at + 4)?.min(*highest);
            frame.get_mut(at + 4..at + 6)?.copy_from_slice(&allowed.to_be_bytes());
        }
        at += 6;
        if compact {
            skip_tags(frame, &mut at)?;
        }
    }
    Some(())
}

/// From version 9: number, tags, throttle, then (id, host, port, rack, tags) of each broker.
fn rewrite_metadata(version: i16, frame: &mut [u8], own: &dyn Fn(u16) -> u16) -> Option<()> {
    if version < 9 {
        return None;
    }
    let mut at = 4;
    skip_tags(frame, &mut at)?;
    at += 4;
    for _ in 0..varint(frame, &mut at)?.checked_sub(1)? {
        at += 4;
        skip_compact(frame, &mut at)?;
        put_port(frame, at, own)?;
        at += 4;
        skip_compact(frame, &mut at)?;
        skip_tags(frame, &mut at)?;
    }
    Some(())
}

/// Versions 1 and 2: number, throttle, error, message, id, host, port.
fn rewrite_coordinator(version: i16, frame: &mut [u8], own: &dyn Fn(u16) -> u16) -> Option<()> {
    if !(1..=2).contains(&version) {
        return None;
    }
    let mut at = 10;
    skip_text(frame, &mut at)?;
    at += 4;
    skip_text(frame, &mut at)?;
    put_port(frame, at, own)
}

fn put_port(frame: &mut [u8], at: usize, own: &dyn Fn(u16) -> u16) -> Option<()> {
    // A coordinator that is not known yet has no port.
    if let Ok(port @ 1..) = u16::try_from(i32_at(frame, at)?) {
        frame.get_mut(at..at + 4)?.copy_from_slice(&u32::from(own(port)).to_be_bytes());
    }
    Some(())
}

fn i16_at(frame: &[u8], at: usize) -> Option<i16> {
    Some(i16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?))
}

fn i32_at(frame: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?))
}

fn varint(frame: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let byte = *frame.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// A compact text, maybe null.
fn skip_compact(frame: &[u8], at: &mut usize) -> Option<()> {
    let length = varint(frame, at)?.saturating_sub(1);
    *at += length;
    (*at <= frame.len()).then_some(())
}

/// A text with its length in two bytes, maybe null.
fn skip_text(frame: &[u8], at: &mut usize) -> Option<()> {
    let length = usize::try_from(i16_at(frame, *at)?).unwrap_or(0);
    *at += 2 + length;
    (*at <= frame.len()).then_some(())
}

fn skip_tags(frame: &[u8], at: &mut usize) -> Option<()> {
    for _ in 0..varint(frame, at)? {
        varint(frame, at)?;
        let length = varint(frame, at)?;
        *at += length;
    }
    (*at <= frame.len()).then_some(())
}
