//! Connections: so many at a time, each for so long, and a few more for the probes.
//!
//! A process whose health cannot be asked for is killed by its orchestrator. So when all places are taken a
//! connection is still accepted, to a few that are kept for this and answer `/healthz` and `/readyz` alone. They are
//! short, and a newcomer takes the place of the oldest: however many come, the newest is heard.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

/// Connections at a time.
const CONNECTIONS: usize = 64;
/// Beyond them, for probes.
const RESERVED: usize = 8;
/// A request has so long to say what it wants.
const HEADERS: Duration = Duration::from_secs(5);
/// The headers of a request, in bytes.
const HEADER_BYTES: usize = 16 << 10;
/// Who takes nothing of an answer for so long is not waited for.
const STALLED: Duration = Duration::from_secs(10);
/// A connection lasts so long at most, and with it a stream of events: the browser comes again by itself.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// A probe's connection.
const PROBE: Duration = Duration::from_secs(2);
/// After an error of accepting, which is mostly that there are too many open files.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until the task is dropped. `probes` is what is answered when there are too many.
pub async fn serve(listener: TcpListener, routes: Router, probes: Router) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut reserved = VecDeque::<AbortHandle>::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(BREATH).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let routes = routes.clone();
            tokio::spawn(async move {
                connection(stream, routes, LONGEST).await;
                drop(place);
            });
            continue;
        }
        reserved.retain(|probe| !probe.is_finished());
        if reserved.len() >= RESERVED
            && let Some(oldest) = reserved.pop_front()
        {
            oldest.abort();
        }
        reserved.push_back(tokio::spawn(connection(stream, probes.clone(), PROBE)).abort_handle());
    }
}

async fn connection(stream: TcpStream, routes: Router, longest: Duration) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALLED));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADER_BYTES);
    let service = TowerToHyperService::new(routes);
    let served = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    // Whatever goes wrong on it is the client's business.
    let _ = timeout(longest, served).await;
}
