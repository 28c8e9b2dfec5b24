//! Connections: so many at a time, each for so long.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 64;
/// A request has so long to say what it wants.
const HEADERS: Duration = Duration::from_secs(5);
/// The headers of a request, in bytes.
const HEADER_BYTES: usize = 16 << 10;
/// A connection lasts so long at most, and with it a stream of events: the browser comes again by itself.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// After an error of accepting, which is mostly that there are too many open files.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until the task is dropped.
pub async fn serve(listener: TcpListener, routes: Router) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((stream, _)) = listener.accept().await else {
            sleep(BREATH).await;
            continue;
        };
        let service = TowerToHyperService::new(routes.clone());
        tokio::spawn(async move {
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADER_BYTES);
            // Whatever goes wrong on it is the client's business.
            let _ = timeout(LONGEST, connection.serve_connection(TokioIo::new(stream), service)).await;
            drop(place);
        });
    }
}
