//! Whoever and whatever has a name in a scenario.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Action, Expected, Fault, Statement, Tweet};
use crate::codes;

/// The moment from which tweet ids count milliseconds, in their upper 42 bits.
const ID_EPOCH: i64 = 1_288_834_974_657;

/// The id of a tweet posted at this time; the line makes it unlike others of the same moment.
pub fn tweet_id(time: i64, line: usize) -> u64 {
    (((time - ID_EPOCH) as u64) << 22) | line as u64
}

/// A tweet of the scenario, wherever it stands.
pub struct Posted<'a> {
    pub tweet: &'a Tweet,
    pub author: u64,
    pub time: i64,
    pub chain: Vec<u64>,
}

impl Posted<'_> {
    pub fn own(&self) -> u64 {
        self.chain.last().copied().unwrap_or_default()
    }

    pub fn first(&self) -> u64 {
        self.chain.first().copied().unwrap_or_default()
    }

    pub fn reply(&self) -> Value {
        json!({"in_reply_to": self.own().to_string(), "to": self.tweet.author})
    }
}

/// A purchase of the scenario: what is known of it before time begins.
pub struct Purchase {
    pub id: String,
    pub account: u64,
    pub offer: String,
    pub code: String,
    /// The line of the tweet that asked for it.
    pub line: usize,
}

/// Whoever and whatever has a name: known in the whole file, since codes, deletions and copies
/// may come before what they name.
pub struct Cast<'a> {
    authors: HashMap<&'a str, u64>,
    /// By line.
    pub posted: HashMap<usize, Posted<'a>>,
    /// Name of a tweet -> its line.
    labels: HashMap<&'a str, usize>,
    pub purchases: HashMap<String, Purchase>,
}

impl<'a> Cast<'a> {
    pub fn new(statements: &'a [Statement], secret: &str) -> Result<Cast<'a>, Fault> {
        let mut cast = Cast {
            authors: HashMap::new(),
            posted: HashMap::new(),
            labels: HashMap::new(),
            purchases: HashMap::new(),
        };
        for statement in statements {
            cast.name(statement).map_err(|message| Fault { line: statement.line, message })?;
        }
        for statement in statements {
            cast.chain(statement).map_err(|message| Fault { line: statement.line, message })?;
        }
        let offers: Vec<&str> = statements
            .iter()
            .filter_map(|s| if let Action::Offer(id, _) = &s.action { Some(id.as_str()) } else { None })
            .collect();
        for statement in statements {
            cast.purchases(statement, &offers, secret)
                .map_err(|message| Fault { line: statement.line, message })?;
        }
        Ok(cast)
    }

    fn name(&mut self, statement: &'a Statement) -> Result<(), String> {
        let next = 1_000_001 + self.authors.len() as u64;
        match &statement.action {
            Action::Account(name, _) | Action::Stranger(name) => {
                self.authors.entry(name).or_insert(next);
            }
            Action::Tweet(tweet) => {
                let author = self.author(&tweet.author)?;
                let time = statement.time.unwrap_or_default();
                let chain = vec![tweet_id(time, statement.line)];
                self.posted.insert(statement.line, Posted { tweet, author, time, chain });
                let mut labels: Vec<&'a str> = tweet.label.as_deref().into_iter().collect();
                for event in &statement.events {
                    if let Expected::Requested { label, .. } | Expected::Loaded { label, .. } = event {
                        labels.push(label);
                    }
                }
                self.call(labels, statement.line)?;
            }
            Action::Pays { label, .. } | Action::GetsBack { label, .. } => {
                self.call(label.as_deref().into_iter().collect(), statement.line)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn call(&mut self, labels: Vec<&'a str>, line: usize) -> Result<(), String> {
        for label in labels {
            if self.labels.insert(label, line).is_some() {
                return Err(format!("there are two that are called {label}"));
            }
        }
        Ok(())
    }

    fn chain(&mut self, statement: &'a Statement) -> Result<(), String> {
        let Action::Tweet(Tweet { edit_of: Some(label), .. }) = &statement.action else { return Ok(()) };
        let mut chain = self.called(label)?.chain.clone();
        if let Some(posted) = self.posted.get_mut(&statement.line) {
            chain.push(posted.own());
            posted.chain = chain;
        }
        Ok(())
    }

    fn purchases(&mut self, statement: &'a Statement, offers: &[&str], secret: &str) -> Result<(), String> {
        for event in &statement.events {
            let Expected::Requested { label, offer, .. } = event else { continue };
            let line = statement.line;
            let Some(posted) = self.posted.get(&line) else {
                return Err("only a tweet requests".to_owned());
            };
            let offer = match offer {
                Some(offer) if offers.contains(&offer.as_str()) => offer.clone(),
                Some(offer) => return Err(format!("there is no offer {offer}")),
                None => only(offers.iter().copied())?.to_owned(),
            };
            let code = codes::code(secret, posted.author, &offer, posted.first());
            let id = codes::purchase_id(posted.author, &offer, posted.first());
            self.purchases.insert(label.clone(), Purchase { id, account: posted.author, offer, code, line });
        }
        Ok(())
    }

    pub fn author(&self, name: &str) -> Result<u64, String> {
        self.authors
            .get(name)
            .copied()
            .ok_or_else(|| format!("{name} is neither account nor stranger above this line"))
    }

    pub fn called(&self, label: &str) -> Result<&Posted<'a>, String> {
        let line = self.labels.get(label).ok_or_else(|| format!("no tweet is called {label}"))?;
        self.posted.get(line).ok_or_else(|| format!("no tweet is called {label}"))
    }

    pub fn purchase(&self, label: &str) -> Result<&Purchase, String> {
        self.purchases.get(label).ok_or_else(|| format!("no purchase {label} is requested in this file"))
    }

    /// Puts the codes in: `{A}`, `{A:lower}`, `{A:upper}`, `{A:wide}`.
    pub fn with_codes(&self, text: &str) -> Result<String, String> {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').ok_or("a { without its }")?;
            let (label, spelling) = name.split_once(':').unwrap_or((name, ""));
            let code = &self.purchase(label)?.code;
            done += before;
            done += &match spelling {
                "" => code.clone(),
                "lower" => code.to_lowercase(),
                "upper" => code.to_uppercase(),
                "wide" => code.replace('#', "＃"),
                other => return Err(format!("{other} is no spelling of a code: lower, upper, wide")),
            };
            rest = after;
        }
        Ok(done + rest)
    }
}

/// The only one, which then need not be named.
pub fn only<'a>(offers: impl Iterator<Item = &'a str>) -> Result<&'a str, String> {
    let mut ids: Vec<&str> = offers.collect();
    ids.sort_unstable();
    ids.dedup();
    match ids[..] {
        [id] => Ok(id),
        _ => Err("of which offer? (there is more than one, or none)".to_owned()),
    }
}
