//! What a process tells over HTTP: a page for people, `/metrics` for Prometheus, `/healthz` for whoever restarts
//! it, `/readyz` for whoever waits for it.
//!
//! | path | shows |
//! | --- | --- |
//! | `/` | how it goes, for operators; `/events` brings what changes |
//! | `/offers`, `/offers.json` | what is open for sale |
//! | `/metrics`, `/healthz`, `/readyz` | for machines |
//! | `/demo/*` | only in the demo: a tweet of one's own, a desk worker's death |
//!
//! It listens on the loopback address unless somebody says otherwise: it says how a business goes. Elsewhere
//! [`Access`] says who gets to see more than the public list. Every page is
//! whole without JavaScript, and nothing on it comes from elsewhere. `server` bounds what a client can take,
//! `guard` says what a browser may do with the answers, and `maud` escapes all texts. No page knows a code, a
//! token or a secret: what they show is made of [`View`](crate::service::View), which has none.

mod abuse;
mod access;
mod feed;
mod guard;
mod layout;
mod offers;
mod operator;
mod server;
pub mod stand;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use self::access::{Access, NoToken, Token};
use self::stand::Stand;
use crate::service::Status;

/// The text format of Prometheus, as its documentation names it.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is served.
#[derive(Clone)]
pub struct Site {
    /// How it goes.
    pub status: Status,
    /// The metrics.
    pub metrics: PrometheusHandle,
    /// Whose page it is: the application and the instance.
    pub name: String,
    /// The page shows the ids of accounts.
    pub show_ids: bool,
    /// Who gets to see more than the public list.
    pub access: Access,
    /// The demo's stand; none but in the demo.
    pub stand: Option<Stand>,
    streams: Arc<Semaphore>,
}

impl Site {
    /// The site of a process, by the name of its application and instance.
    pub fn new(name: &str, status: Status, metrics: PrometheusHandle) -> Site {
        let streams = Arc::new(Semaphore::new(feed::STREAMS));
        let (name, access) = (name.to_owned(), Access::Open);
        Site { status, metrics, name, show_ids: false, access, stand: None, streams }
    }
}

/// The body of a request, in bytes: a tweet at most, of characters that take up to twelve.
const BODY: usize = 8 << 10;

type Shared = State<Arc<Site>>;

/// Listens on a port; 0 is any free one.
///
/// # Errors
/// If the port is in use, or not ours to take.
pub async fn listen(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((address, port)).await
}

/// Answers until the task is dropped.
///
/// # Errors
/// Those of the listener.
pub async fn serve(listener: TcpListener, site: Site) -> io::Result<()> {
    let hosts = guard::Hosts::of(listener.local_addr()?);
    let around = (hosts, site.access.clone());
    let site = Arc::new(site);
    let (all, few) = (routes(&site), probes().fallback(too_many));
    let finished = |routes: Router<Arc<Site>>| {
        routes
            .layer(DefaultBodyLimit::max(BODY))
            .layer(from_fn_with_state(around.clone(), guard::guard))
            .with_state(Arc::clone(&site))
    };
    server::serve(listener, finished(all), finished(few)).await
}

/// What is answered however many come.
fn probes() -> Router<Arc<Site>> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(readyz))
}

async fn too_many() -> (StatusCode, &'static str) {
    (StatusCode::SERVICE_UNAVAILABLE, "too many connections: try again\n")
}

fn routes(site: &Site) -> Router<Arc<Site>> {
    let mut routes = probes();
    if site.stand.is_some() {
        routes = routes.route("/demo/tweet", post(stand::tweet)).route("/demo/kill", post(stand::kill));
    }
    routes
        .route("/", get(operator::page))
        .route("/events", get(feed::events))
        .route("/offers", get(offers::page))
        .route("/offers.json", get(offers::json))
        .route("/metrics", get(metrics))
        .route("/page.css", get(|| async { ([(CONTENT_TYPE, "text/css")], include_str!("assets/page.css")) }))
        .route(
            "/page.js",
            get(|| async { ([(CONTENT_TYPE, "text/javascript")], include_str!("assets/page.js")) }),
        )
}

async fn metrics(State(site): Shared) -> impl IntoResponse {
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], crate::metrics::page(&site.metrics))
}

async fn readyz(State(site): Shared) -> (StatusCode, String) {
    let missing = site.status.ready().missing();
    match missing.is_empty() {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n"),
    }
}
