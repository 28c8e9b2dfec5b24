//! What a browser may do with the answers, and whose requests are answered.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::Access;

/// An answer is begun within so long.
const ANSWER: Duration = Duration::from_secs(5);

/// Nothing but what this server serves itself, and no code in the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // With none at all browsers say of a form that it is from nowhere, and it would be refused.
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Under which names the server may be asked.
#[derive(Debug, Clone, Copy)]
pub struct Hosts {
    loopback: bool,
}

impl Hosts {
    /// Of a server on this address. On loopback it is only for browsers that mean this machine: a page from elsewhere
    /// whose name leads here, too, is not one. Elsewhere nobody knows what it is called.
    pub fn of(address: SocketAddr) -> Hosts {
        Hosts { loopback: address.ip().is_loopback() }
    }

    fn answers(self, headers: &HeaderMap) -> bool {
        // Browsers always say whom they mean.
        let Some(host) = headers.get(HOST) else { return true };
        !self.loopback || host.to_str().is_ok_and(is_loopback)
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a request that changes something comes from a page of this server, if it comes from a page at all.
fn is_own(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    origin.is_some_and(|(_, origin)| Some(origin) == host)
}

/// Stands around everything that is served.
pub async fn guard(State((hosts, access)): State<(Hosts, Access)>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if !hosts.answers(request.headers()) {
        (StatusCode::MISDIRECTED_REQUEST, "this server is called 127.0.0.1 or localhost\n").into_response()
    } else if changes && !is_own(request.headers()) {
        (StatusCode::FORBIDDEN, "a page from elsewhere may not do that\n").into_response()
    } else if let Some(refused) = access.refuses(&request) {
        refused
    } else {
        let answer = tokio::time::timeout(ANSWER, next.run(request)).await;
        answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in ["127.0.0.1:9464", "localhost", "LOCALHOST:80", "[::1]:9464", "[::1]", "127.9.9.9"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1:9464", "localhost.evil", "", ":80"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn only_its_own_pages_change_something() {
        let headers = |origin: &'static str| {
            HeaderMap::from_iter([
                (HOST, HeaderValue::from_static("127.0.0.1:9464")),
                (ORIGIN, HeaderValue::from_static(origin)),
            ])
        };
        assert!(is_own(&headers("http://127.0.0.1:9464")));
        assert!(is_own(&HeaderMap::new()), "curl");
        for origin in ["http://127.0.0.1:9465", "https://evil.example", "null"] {
            assert!(!is_own(&headers(origin)), "{origin}");
        }
    }
}
