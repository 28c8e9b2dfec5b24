//! What shoppers do when their time comes: records of the firehose and of the tables.

use std::collections::VecDeque;

use fastrand::Rng;

use super::coupon::Use;
use super::holder::{Aim, Errand};
use super::plan::{Act, Plan, errand};
use super::shop::ARTICLES;
use super::{Happening, NOBODY, Read, STRANGERS, Shoppers, Step};
use crate::core::ids::AccountId;
use crate::core::time::{DAY, SECOND, Time};
use crate::firehose::words::{name, one_of, percent};
use crate::firehose::{Draft, Format, Maker, Original};

impl Shoppers {
    pub(super) fn arrival(&mut self, time: Time, maker: &mut Maker) {
        let pause = self.rng.i64(1..self.habits.longest_pause);
        self.plan(time.plus(pause), Step::Arrival);
        match self.rng.u32(0..100) {
            0..6 => return self.stranger(time, maker),
            6..14 => return self.bystander(time, maker),
            _ => {}
        }
        let Some(n) = self.idle.pop_front() else { return };
        match self.holders[n].wish(&mut self.rng, self.habits) {
            Some(aim) => {
                self.holders[n].errands += 1;
                self.holders[n].errand =
                    Some(Errand { aim, asked: None, answered: false, code: None, paid: None });
                self.plan(time, Step::Act(n, Act::Ask));
                if matches!(aim, Aim::Coupon(_, Use::Hurry)) {
                    self.plan(time.plus(SECOND), Step::Act(n, Act::Pay));
                }
                self.plan(time.plus(errand(self.habits)), Step::Act(n, Act::Rest));
            }
            // He has all that he wants, and makes room for somebody who has had a card for long.
            None => self.unlink(n, time.minus(DAY)),
        }
    }

    /// Somebody without an account wants to buy, or tries a code that he has read.
    fn stranger(&mut self, time: Time, maker: &mut Maker) {
        let author = AccountId::new(self.rng.u64(STRANGERS)).unwrap_or(NOBODY);
        let handle = format!("{}_{}", name(&mut self.rng, 2), self.rng.u32(10..99));
        let code = any(&mut self.rng, &self.read).map(|read| read.code.clone());
        let text = match code {
            Some(code) if self.rng.bool() => format!("does this work for me? {code}"),
            _ => format!("want! {}", ARTICLES[self.rng.usize(0..ARTICLES.len())].tag),
        };
        let draft = Draft { time, author, handle: &handle, text: &text, format: Format::V1 };
        self.happened.push_back(Happening::Record(maker.tweet(&draft).1));
    }

    /// An account holder repeats somebody's offer tweet, or quotes it; neither buys.
    fn bystander(&mut self, time: Time, maker: &mut Maker) {
        let Some(n) = self.idle.front().copied() else { return };
        let quotes = self.rng.bool();
        let Some(read) = any(&mut self.rng, &self.read) else { return };
        let of = Original { id: read.tweet, author: read.account, handle: &read.handle, text: &read.text };
        let holder = &self.holders[n];
        let draft = Draft {
            time,
            author: holder.account,
            handle: &holder.handle,
            text: "look at that",
            format: holder.format,
        };
        let (_, record) = if quotes { maker.quote(&draft, &of) } else { maker.retweet(&draft, &of) };
        self.happened.push_back(Happening::Record(record));
    }

    pub(super) fn act(&mut self, n: usize, act: Act, time: Time, maker: &mut Maker) {
        let Some(errand) = &self.holders[n].errand else { return };
        let (code, asked) = (errand.code.clone(), errand.asked.as_ref().map(|(id, _)| *id));
        match act {
            Act::Ask | Act::AskAgain => self.ask(n, act, time, maker),
            Act::Confirm => {
                let text = code.map(|code| confirmation(&mut self.rng, &code));
                self.tweet(n, time, text, maker);
            }
            Act::Copy => {
                let copied = self
                    .read
                    .iter()
                    .find(|read| read.holder != n)
                    .map(|read| format!("me too! {}", read.code));
                self.tweet(n, time, copied, maker);
            }
            Act::Guess => {
                let guess = format!("#Confirm{:08}", self.rng.u32(0..100_000_000));
                self.tweet(n, time, Some(guess), maker);
            }
            Act::Repeat => self.happened.push_back(Happening::Record(self.holders[n].last_record.clone())),
            Act::Delete => {
                let holder = &self.holders[n];
                let notice = asked.map(|tweet| maker.deletion(tweet, holder.account, holder.format));
                self.happened.extend(notice.map(Happening::Record));
            }
            Act::Freeze | Act::Unfreeze => {
                let holder = &self.holders[n];
                let json = Some(holder.record(if act == Act::Freeze { "frozen" } else { "active" }));
                self.happened.push_back(Happening::Account { id: holder.account, json });
            }
            // Who comes now has his card on hold at first.
            Act::Unlink => self.unlink(n, time),
            Act::Pay | Act::PayLittle => self.pay(n, act, time),
            Act::PayAgain => self.pay_again(n),
            Act::Refund | Act::RefundSome => self.refund(n, act, time),
            Act::Rest => {
                self.given_up += u64::from(self.holders[n].waits());
                self.holders[n].errand = None;
                self.idle.push_back(n);
            }
        }
    }

    fn ask(&mut self, n: usize, act: Act, time: Time, maker: &mut Maker) {
        let Some(errand) = &self.holders[n].errand else { return };
        let aim = errand.aim;
        let text = request(&mut self.rng, aim.tag());
        let by_quote = matches!(aim, Aim::Article(_, Plan::BuyByQuote)) && act == Act::Ask;
        let read = if by_quote { self.read.back() } else { None };
        let holder = &self.holders[n];
        let draft = Draft {
            time,
            author: holder.account,
            handle: &holder.handle,
            text: &text,
            format: holder.format,
        };
        let (id, record) = match read {
            Some(read) => maker.quote(
                &draft,
                &Original { id: read.tweet, author: read.account, handle: &read.handle, text: &read.text },
            ),
            None => maker.tweet(&draft),
        };
        self.happened.push_back(Happening::Record(record));
        if let (Act::Ask, Some(errand)) = (act, &mut self.holders[n].errand) {
            errand.asked = Some((id, text));
        }
    }

    /// Tweets a text, if there is anything to say.
    fn tweet(&mut self, n: usize, time: Time, text: Option<String>, maker: &mut Maker) {
        let Some(text) = text else { return };
        let holder = &mut self.holders[n];
        let draft = Draft {
            time,
            author: holder.account,
            handle: &holder.handle,
            text: &text,
            format: holder.format,
        };
        let (_, record) = maker.tweet(&draft);
        holder.last_record.clone_from(&record);
        self.happened.push_back(Happening::Record(record));
    }

    /// An account is unlinked, and somebody new comes in the holder's place.
    fn unlink(&mut self, n: usize, linked_at: Time) {
        let leaving = self.holders[n].account;
        self.given_up += u64::from(self.holders[n].waits());
        self.by_account.remove(&leaving);
        self.happened.push_back(Happening::Account { id: leaving, json: None });
        self.agenda.retain(|_, step| !matches!(step, Step::Act(holder, _) if *holder == n));
        self.holders[n] = self.link(linked_at);
        self.settle_in(n);
    }
}

/// One of the tweets that a shopper may have read.
fn any<'r>(rng: &mut Rng, read: &'r VecDeque<Read>) -> Option<&'r Read> {
    if read.is_empty() { None } else { read.get(rng.usize(0..read.len())) }
}

/// How people ask: in any case, with either sign.
fn request(rng: &mut Rng, tag: &str) -> String {
    let tag = match rng.u32(0..10) {
        0 => tag.to_lowercase(),
        1 => tag.replace('#', "＃"),
        _ => tag.to_owned(),
    };
    let words =
        ["Yes please!", "mine broke <3", "finally:", "need this &", "for my sister", "it's raining anyway"];
    match percent(rng, 20) {
        true => tag,
        false => format!("{} {tag}", one_of(rng, &words)),
    }
}

/// How people confirm.
fn confirmation(rng: &mut Rng, code: &str) -> String {
    match rng.u32(0..4) {
        0 => code.to_lowercase(),
        1 => format!("ok! {code}"),
        2 => format!("{code} 🎉"),
        _ => code.to_owned(),
    }
}
