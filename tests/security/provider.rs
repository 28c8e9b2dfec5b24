//! An OpenID provider as small as can be: whoever shows the client's secret gets a token that says who it is of.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::firehose::now;

/// A provider that answers as long as the tests run.
pub struct Provider {
    pub url: String,
    /// Tokens that it has given.
    given: Arc<AtomicU32>,
}

impl Provider {
    pub fn start(client: &str, secret: &str) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let given = Arc::<AtomicU32>::default();
        let (count, basic) = (Arc::clone(&given), STANDARD.encode(format!("{client}:{secret}")));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A client that goes away asks again.
                let _ = answer(stream, &basic, &count);
            }
        });
        Provider { url, given }
    }

    pub fn given(&self) -> u32 {
        self.given.load(Ordering::Relaxed)
    }
}

fn answer(mut stream: TcpStream, basic: &str, given: &AtomicU32) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut is_known, mut length) = (false, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => is_known = value == format!("Basic {basic}"),
            "content-length" => length = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, body) = match is_known && String::from_utf8_lossy(&body).contains("client_credentials") {
        true => {
            given.fetch_add(1, Ordering::Relaxed);
            ("200 OK", format!(r#"{{"access_token":"{}","token_type":"Bearer","expires_in":300}}"#, token()))
        }
        false => ("401 Unauthorized", r#"{"error":"invalid_client"}"#.to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Not signed: the broker of the tests takes such.
fn token() -> String {
    let seconds = now() / 1_000;
    let claims = format!(r#"{{"sub":"hashbuy","iat":{seconds},"exp":{}}}"#, seconds + 300);
    [r#"{"alg":"none"}"#, &claims, ""].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}
