//! A proxy between one client and its brokers, that can lose, hold, delay and forge what passes.
//!
//! It listens on a port for each broker, and the client is given these. Each connection has a connection of its own
//! to the broker and two threads, one for each way. Frames are read whole, so that a rule sees requests and answers
//! rather than bytes.

pub mod frame;
mod rules;
pub mod tests;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::frame::Request;
pub use self::frame::{Api, ERROR, INIT_ERROR};
pub use self::rules::{Deed, Rule, Trap, Way};
use self::rules::{Rules, Verdict};

/// A client that goes is followed by its connection to the broker after so long: what was sent is to be handled.
const LINGER: Duration = Duration::from_secs(2);

/// Ports that can be told before it is known to whom they lead. Whoever comes waits.
pub struct Doors(Vec<TcpListener>);

impl Doors {
    /// So many.
    pub fn open(count: usize) -> Doors {
        Doors((0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect())
    }

    pub fn ports(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().map(|listener| listener.local_addr().unwrap().port())
    }
}

/// A running proxy. It ends when this is dropped.
pub struct Proxy {
    /// `host:port` of the proxy for each broker.
    pub bootstrap: String,
    shared: Arc<Shared>,
}

struct Shared {
    rules: Arc<Rules>,
    /// The proxy's port by the broker's.
    ports: BTreeMap<u16, u16>,
    /// All connections there ever were.
    streams: Mutex<Vec<TcpStream>>,
}

/// Requests that are not answered yet, by their numbers.
type Open = Mutex<BTreeMap<i32, Request>>;

impl Proxy {
    /// Between a client and these brokers, `127.0.0.1:port` each with commas between them.
    pub fn to(brokers: &str) -> Proxy {
        Proxy::on(Doors::open(brokers.split(',').count()), brokers)
    }

    /// The same on ports that are open already.
    pub fn on(doors: Doors, brokers: &str) -> Proxy {
        let port = |address: &str| address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        let ports = brokers.split(',').map(port).zip(doors.ports()).collect();
        let addresses: Vec<String> = doors.ports().map(|own| format!("127.0.0.1:{own}")).collect();
        let listeners: Vec<(u16, TcpListener)> = brokers.split(',').map(port).zip(doors.0).collect();
        let shared = Arc::new(Shared { rules: Arc::default(), ports, streams: Mutex::default() });
        for (broker, listener) in listeners {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&shared, broker, &listener));
        }
        Proxy { bootstrap: addresses.join(","), shared }
    }

    /// Puts a rule into force.
    pub fn add(&self, rule: Rule) -> Trap {
        self.shared.rules.add(rule)
    }

    /// From now on nothing arrives on either side, and nobody is told: a cable was pulled.
    pub fn cut(&self) {
        self.shared.rules.set_dead(true);
    }

    /// Everything arrives again, also what was on its way.
    pub fn restore(&self) {
        self.shared.rules.set_dead(false);
    }

    /// The same for one broker, by its port.
    pub fn cut_from(&self, broker: u16) {
        self.shared.rules.set_apart(broker, true);
    }

    /// The end of that.
    pub fn restore_to(&self, broker: u16) {
        self.shared.rules.set_apart(broker, false);
    }

    /// Cuts all connections, so that both sides know.
    pub fn sever(&self) {
        self.shared.sever();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.rules.end();
        self.shared.sever();
    }
}

impl Shared {
    fn sever(&self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams.drain(..) {
            // It may have gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn keep(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).push(stream.try_clone()?);
        Ok(())
    }
}

fn accept(shared: &Arc<Shared>, broker: u16, listener: &TcpListener) {
    listener.set_nonblocking(true).unwrap();
    while !shared.rules.is_ending() {
        match listener.accept() {
            Ok((client, _)) => {
                // A broker that is down is an end of the connection for the client.
                let _ = connect(shared, broker, client);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    }
}

fn connect(shared: &Arc<Shared>, broker: u16, client: TcpStream) -> io::Result<()> {
    client.set_nonblocking(false)?;
    let server = TcpStream::connect(("127.0.0.1", broker))?;
    shared.keep(&client)?;
    shared.keep(&server)?;
    let open = Arc::new(Open::default());
    let (to_server, to_client) = (server.try_clone()?, client.try_clone()?);
    {
        let (shared, open) = (Arc::clone(shared), Arc::clone(&open));
        thread::spawn(move || {
            // Its end is told by the shutdown, whatever it was.
            let _ = requests(&shared, broker, client, &to_server, &open);
            linger(&open);
            let _ = to_server.shutdown(Shutdown::Both);
        });
    }
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let _ = answers(&shared, broker, server, &to_client, &open);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Waits until everything that went to the broker is answered, if that does not take too long.
fn linger(open: &Open) {
    let deadline = Instant::now() + LINGER;
    while !open.lock().unwrap_or_else(PoisonError::into_inner).is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
}

fn requests(
    shared: &Shared,
    broker: u16,
    mut client: TcpStream,
    mut server: &TcpStream,
    open: &Open,
) -> io::Result<()> {
    loop {
        let bytes = frame::read(&mut client)?;
        let request = Request::of(&bytes).ok_or(ErrorKind::InvalidData)?;
        match shared.rules.judge(Way::Request, &request) {
            Verdict::Pass | Verdict::Error(..) => {}
            Verdict::Swallow => continue,
            Verdict::Cut => {
                client.shutdown(Shutdown::Both)?;
                return Ok(());
            }
        }
        if !shared.rules.await_network(broker) {
            return Ok(());
        }
        open.lock().unwrap_or_else(PoisonError::into_inner).insert(request.number, request);
        frame::write(&mut server, &bytes)?;
    }
}

fn answers(
    shared: &Shared,
    broker: u16,
    mut server: TcpStream,
    mut client: &TcpStream,
    open: &Open,
) -> io::Result<()> {
    let own = |port: u16| shared.ports.get(&port).copied().unwrap_or(port);
    let mut is_heard = true;
    loop {
        let mut bytes = frame::read(&mut server)?;
        let number = frame::answered(&bytes).ok_or(ErrorKind::InvalidData)?;
        let Some(request) = open.lock().unwrap_or_else(PoisonError::into_inner).remove(&number) else {
            return Err(ErrorKind::InvalidData.into());
        };
        frame::rewrite(&request, &mut bytes, &own);
        match shared.rules.judge(Way::Answer, &request) {
            Verdict::Pass => {}
            Verdict::Error(at, code) => frame::put_error(&mut bytes, at, code),
            Verdict::Swallow => continue,
            Verdict::Cut => {
                server.shutdown(Shutdown::Both)?;
                return Ok(());
            }
        }
        if !shared.rules.await_network(broker) {
            return Ok(());
        }
        // When the client has gone the broker still has to get rid of its answers.
        is_heard = is_heard && frame::write(&mut client, &bytes).is_ok();
    }
}
