//! Who gets to see more than the public list.
//!
//! | | `/offers`, `/offers.json`, `/healthz`, `/readyz` | `/metrics` | all the rest |
//! | --- | --- | --- | --- |
//! | on loopback | answered | answered | answered |
//! | on another address | answered | answered | refused |
//! | with a token, anywhere | answered | with the token | with the token |

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A shorter one could be guessed.
const SHORTEST: usize = 20;

const PUBLIC: [&str; 6] = ["/offers", "/offers.json", "/healthz", "/readyz", "/page.css", "/page.js"];

/// Who gets to see more than the public list.
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever gets here: the users of this machine.
    Open,
    /// Nobody.
    Closed,
    /// Whoever shows the token.
    Token(Token),
}

/// What has to be shown. Only what is compared with is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// A token that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has {SHORTEST} to 4,096 visible ASCII characters: write `openssl rand -hex 32` into it")]
pub struct NoToken;

impl Token {
    /// A token.
    ///
    /// # Errors
    /// [`NoToken`]
    pub fn new(token: &str) -> Result<Token, NoToken> {
        let fits = (SHORTEST..=4_096).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Token(digest(token.as_bytes()))) } else { Err(NoToken) }
    }

    /// Whether it is shown, as a bearer's token or as the password of whatever user.
    fn is_shown(&self, headers: &HeaderMap) -> bool {
        let Some((scheme, shown)) = headers
            .get(AUTHORIZATION)
            .and_then(|header| header.to_str().ok())
            .and_then(|header| header.split_once(' '))
        else {
            return false;
        };
        // How long it takes to compare digests tells nothing of what they are of.
        if scheme.eq_ignore_ascii_case("bearer") {
            return digest(shown.trim().as_bytes()) == self.0;
        }
        let Ok(decoded) = STANDARD.decode(shown.trim()).map(Zeroizing::new) else { return false };
        let password = decoded.iter().position(|b| *b == b':').map(|colon| &decoded[colon + 1..]);
        scheme.eq_ignore_ascii_case("basic") && password.is_some_and(|password| digest(password) == self.0)
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl Access {
    /// What is answered instead, if this may not be seen.
    pub(super) fn refuses(&self, request: &Request) -> Option<Response> {
        let (path, query) = (request.uri().path(), request.uri().query());
        if PUBLIC.contains(&path) || (path == "/events" && query == Some("offers")) {
            return None;
        }
        match self {
            Access::Open => None,
            Access::Closed if path == "/metrics" => None,
            Access::Closed => {
                let why =
                    "this is shown on the loopback address; anywhere else web.token_file has to be set\n";
                Some((StatusCode::FORBIDDEN, why).into_response())
            }
            Access::Token(token) if token.is_shown(request.headers()) => None,
            Access::Token(_) => {
                let why = "this needs the token of web.token_file: as the password, or as Authorization: Bearer TOKEN\n";
                let mut response = (StatusCode::UNAUTHORIZED, why).into_response();
                // Browsers ask for a password, and send it along with the stream of events, too.
                let asks = HeaderValue::from_static("Basic realm=\"hashbuy\", charset=\"UTF-8\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, asks);
                Some(response)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn status(access: &Access, uri: &str, authorization: Option<&str>) -> u16 {
        let mut request = Request::builder().uri(uri);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let refused = access.refuses(&request.body(Body::empty()).unwrap());
        refused.map_or(200, |response| response.status().as_u16())
    }

    #[test]
    fn a_token_has_to_be_one() {
        assert!(Token::new(TOKEN).is_ok());
        for token in ["", "0123456789abcdef012", "0123456789abcdef 123456789abcdef", &"é".repeat(20)] {
            assert_eq!(Token::new(token), Err(NoToken), "{token}");
        }
        assert!(!format!("{:?}", Token::new(TOKEN)).contains(TOKEN));
    }

    #[test]
    fn who_shows_the_token_sees_the_rest() {
        let access = Access::Token(Token::new(TOKEN).unwrap());
        let password = |text: String| format!("Basic {}", STANDARD.encode(text));
        for shown in
            [format!("Bearer {TOKEN}"), format!("bearer  {TOKEN}"), password(format!("anna:{TOKEN}"))]
        {
            for path in ["/", "/events", "/metrics", "/nothing"] {
                assert_eq!(status(&access, path, Some(&shown)), 200, "{path} {shown}");
            }
        }
        let near = TOKEN.replace("ef", "ee");
        for shown in [
            format!("Bearer {near}"),
            "Bearer ".to_owned(),
            TOKEN.to_owned(),
            format!("Basic {TOKEN}"),
            password(TOKEN.to_owned()),
            password(format!("{TOKEN}:")),
            password(format!("anna:{near}")),
        ] {
            assert_eq!(status(&access, "/", Some(&shown)), 401, "{shown}");
        }
        assert_eq!(status(&access, "/", None), 401);
    }

    #[test]
    fn what_is_public_is_public_and_what_is_new_is_not() {
        let token = Access::Token(Token::new(TOKEN).unwrap());
        for path in PUBLIC.into_iter().chain(["/events?offers"]) {
            assert_eq!(
                (status(&token, path, None), status(&Access::Closed, path, None)),
                (200, 200),
                "{path}"
            );
        }
        for path in ["/", "/events", "/events?offers=1", "/offers/", "/demo/kill", "//offers", "/healthz/../"]
        {
            assert_eq!(
                (status(&token, path, None), status(&Access::Closed, path, None)),
                (401, 403),
                "{path}"
            );
            assert_eq!(status(&Access::Open, path, None), 200, "{path}");
        }
        assert_eq!((status(&token, "/metrics", None), status(&Access::Closed, "/metrics", None)), (401, 200));
    }
}
