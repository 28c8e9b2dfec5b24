//! What a process tells over HTTP: `/metrics` for Prometheus, `/healthz` for whoever restarts it, `/readyz`
//! for whoever waits for it.
//!
//! It listens on the loopback address only: metrics say how a business goes.

use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::service::Ready;

/// The text format of Prometheus, as its documentation names it.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Listens on a port of 127.0.0.1; 0 is any free one.
///
/// # Errors
/// If the port is in use, or not ours to take.
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

/// Answers until the task is dropped. `ready`: whether the process does its work; if not,
/// `/readyz` says what is missing, a line each.
///
/// # Errors
/// Those of the listener.
pub async fn serve(listener: TcpListener, metrics: PrometheusHandle, ready: Ready) -> io::Result<()> {
    let readyz = move || async move {
        let missing = ready.missing();
        if missing.is_empty() {
            (StatusCode::OK, "ready\n".to_owned())
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
        }
    };
    axum::serve(listener, routes(metrics).route("/readyz", get(readyz))).await
}

fn routes(metrics: PrometheusHandle) -> Router {
    let render = move || async move { ([(CONTENT_TYPE, PROMETHEUS_TEXT)], crate::metrics::page(&metrics)) };
    Router::new().route("/metrics", get(render)).route("/healthz", get(|| async { "ok\n" }))
}
