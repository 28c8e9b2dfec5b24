//! The demo's stand on the page: whoever looks may tweet as a guest, and kill a desk worker.
//!
//! The page shows what the guests are answered, but for the codes, as on every page: a guest confirms by a button.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Shared;
use super::layout::{clock, figure, table};
use crate::core::numeral::grouped;
use crate::core::time::Time;

/// Wishes that wait for the demo's next tick; more are refused.
const WAITING: usize = 16;
/// The longest tweet, in characters.
const LONGEST: usize = 280;
/// Answers that are shown.
const ANSWERS: usize = 8;

/// What a visitor wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A guest tweets this.
    Tweet(usize, String),
    /// A guest tweets the last code that he was given.
    Confirm(usize),
    /// A desk worker dies.
    Kill,
}

/// What a guest was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub at: Time,
    /// Who.
    pub handle: String,
    /// What has happened.
    pub kind: &'static str,
    /// In the words of the answer, without the code.
    pub text: String,
}

/// What the stand shows.
#[derive(Debug, Default)]
pub struct Board {
    /// Handles of the guests; a wish names one by its number.
    pub guests: Vec<String>,
    /// The hashtag of an offer that is made for them, with its sign.
    pub tag: String,
    /// Desk workers that were killed.
    pub kills: u64,
    /// Purchases that were confirmed or ordered twice: none, or hashbuy has a fault.
    pub doubles: u64,
    /// Partitions that a desk worker is restoring.
    pub restoring: u32,
    heard: VecDeque<Heard>,
}

impl Board {
    /// Shows one more answer.
    pub fn hear(&mut self, heard: Heard) {
        if self.heard.len() >= ANSWERS {
            self.heard.pop_back();
        }
        self.heard.push_front(heard);
    }
}

/// The side of the stand that the page has.
#[derive(Debug, Clone)]
pub struct Stand {
    wishes: Sender<Wish>,
    board: Arc<Mutex<Board>>,
}

/// The side of the stand that the demo has.
#[derive(Debug)]
pub struct Keeper {
    wishes: Receiver<Wish>,
    board: Arc<Mutex<Board>>,
}

/// A stand.
pub fn stand() -> (Stand, Keeper) {
    let (sender, wishes) = channel(WAITING);
    let board = Arc::<Mutex<Board>>::default();
    (Stand { wishes: sender, board: Arc::clone(&board) }, Keeper { wishes, board })
}

impl Keeper {
    /// The next wish, if there is one.
    pub fn wish(&mut self) -> Option<Wish> {
        self.wishes.try_recv().ok()
    }

    /// The board, to be changed.
    pub fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stand {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The box and the button, for the guest that `query`, that of the address, says.
    pub fn forms(&self, query: Option<&str>) -> Markup {
        let board = self.board();
        let chosen = query.and_then(|query| guest(query.as_bytes(), board.guests.len())).unwrap_or(0);
        html! {
            h2 { "Try it" }
            form method="post" action="/demo/tweet" {
                label { "Tweet as"
                    select name="guest" {
                        @for (n, handle) in board.guests.iter().enumerate() {
                            option value=(n) selected[n == chosen] { "@" (handle) }
                        }
                    }
                }
                label.wide { "Tweet" input name="text" maxlength=(LONGEST) autocomplete="off" placeholder={ "Finally! " (board.tag) }; }
                button name="act" value="tweet" { "Tweet" }
                button.quiet name="act" value="confirm" { "Tweet the last code" }
            }
            form method="post" action="/demo/kill" { button.quiet { "Kill a desk worker" } }
            p.note { "A guest asks with an offer's hashtag, and confirms with the code of the answer. The page shows no codes: the "
                "second button tweets it. " (board.tag) " leaves a visitor the most time for it. Whoever kills a desk worker takes its "
                "open transaction along." }
        }
    }

    /// What has come of it.
    pub fn outcome(&self) -> Markup {
        let board = self.board();
        let rows: Vec<Vec<Markup>> = board
            .heard
            .iter()
            .map(|heard| {
                let verb = heard.kind.rsplit('.').next().unwrap_or(heard.kind);
                vec![
                    clock(heard.at),
                    html! { "@" (heard.handle) },
                    html! { span class=(verb) { (verb) } },
                    html! { (heard.text) },
                ]
            })
            .collect();
        html! {
            dl.figures {
                (figure("Desk workers killed", grouped(board.kills), match board.restoring {
                    0 => "all are at work".to_owned(),
                    partitions => format!("{partitions} partitions are being restored"),
                }))
                (figure("Double purchases", grouped(board.doubles), if board.doubles == 0 { "as always" } else { "a fault" }))
            }
            (table("What guests were answered", &["Time", "Guest", "Event", "Answer"], &rows))
        }
    }

    fn tell(&self, wish: Wish) -> Response {
        let back = match &wish {
            Wish::Tweet(guest, _) | Wish::Confirm(guest) => format!("/?guest={guest}#demo"),
            Wish::Kill => "/#demo".to_owned(),
        };
        match self.wishes.try_send(wish) {
            // Back to the page, as the same guest, by a request that a reload does not repeat.
            Ok(()) => (StatusCode::SEE_OTHER, [(LOCATION, back)]).into_response(),
            Err(_) => (StatusCode::TOO_MANY_REQUESTS, "too much at once: try again\n").into_response(),
        }
    }
}

/// `POST /demo/tweet`.
pub async fn tweet(State(site): Shared, body: Bytes) -> Response {
    let Some(stand) = &site.stand else { return StatusCode::NOT_FOUND.into_response() };
    let guests = stand.board().guests.len();
    match wish(&body, guests) {
        Ok(wish) => stand.tell(wish),
        Err(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    }
}

/// `POST /demo/kill`.
pub async fn kill(State(site): Shared) -> Response {
    site.stand.as_ref().map_or_else(|| StatusCode::NOT_FOUND.into_response(), |stand| stand.tell(Wish::Kill))
}

fn field(form: &[u8], name: &str) -> String {
    let mut fields = form_urlencoded::parse(form);
    fields.find(|(is, _)| is == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The number of the guest, if there are so many.
fn guest(form: &[u8], guests: usize) -> Option<usize> {
    field(form, "guest").parse().ok().filter(|guest| *guest < guests)
}

fn wish(form: &[u8], guests: usize) -> Result<Wish, &'static str> {
    let guest = guest(form, guests).ok_or("guest is the number of none")?;
    if field(form, "act") == "confirm" {
        return Ok(Wish::Confirm(guest));
    }
    let text = field(form, "text").replace(char::is_control, " ");
    match text.trim() {
        "" => Err("text is empty"),
        text if text.chars().count() > LONGEST => Err("text is longer than 280 characters"),
        text => Ok(Wish::Tweet(guest, text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_with_care() {
        let long = format!("guest=0&text={}", "x".repeat(LONGEST + 1));
        for (form, wanted) in [
            (
                "guest=1&text=Finally%21+%23BuyTeapot&act=tweet",
                Ok(Wish::Tweet(1, "Finally! #BuyTeapot".to_owned())),
            ),
            ("guest=0&text=a%0Ab%00", Ok(Wish::Tweet(0, "a b".to_owned()))),
            ("guest=0&text=&act=confirm", Ok(Wish::Confirm(0))),
            ("guest=2&text=x", Err("guest is the number of none")),
            ("text=x", Err("guest is the number of none")),
            ("guest=0&text=+", Err("text is empty")),
            (&long, Err("text is longer than 280 characters")),
        ] {
            assert_eq!(wish(form.as_bytes(), 2), wanted, "{form}");
        }
    }

    #[test]
    fn what_nobody_takes_in_is_refused() {
        let (stand, mut keeper) = stand();
        let status = || stand.tell(Wish::Kill).status();
        assert!((0..WAITING).all(|_| status() == StatusCode::SEE_OTHER));
        assert_eq!(status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(keeper.wish(), Some(Wish::Kill));
        assert_eq!(status(), StatusCode::SEE_OTHER);
    }

    #[test]
    fn the_last_answers_are_shown() {
        let (stand, keeper) = stand();
        for n in 0..20 {
            let (at, handle, text) = (Time::ZERO, "ada".to_owned(), format!("<answer {n}>"));
            keeper.board().hear(Heard { at, handle, kind: "purchase.requested", text });
        }
        let shown = stand.outcome().into_string();
        assert_eq!(shown.matches("&lt;answer ").count(), ANSWERS, "{shown}");
        assert!(shown.contains("&lt;answer 19&gt;"), "{shown}");
    }
}
