//! What is remembered of an account.

use uuid::Uuid;

use super::account::{read_money, write_money};
use super::{Reader, Writer, time_of};
use crate::core::desk::buyer::history::{
    Deleted, History, LoadedOn, Marker, Outcome, Past, Spent, Units, Verdict, VerdictKind,
};
use crate::core::event::Reason;
use crate::core::ids::TweetId;
use crate::core::time::Time;
use crate::core::transaction::CardToken;

/// The lowest bit of a verdict: it has a code.
const HAS_CODE: u8 = 1;
/// Verdicts by the other bits; from here on, refusals by their reason.
const REFUSED: u8 = 5;

pub(super) fn write_history(writer: &mut Writer, history: &History) {
    let History { markers, deletions, past, requested, wrong_codes, .. } = history;
    let History { locks, answered, units, spent, cards, unlinked_at, .. } = history;
    writer.list(markers, write_marker);
    writer.list(deletions, |writer, deleted| {
        writer.tweet(deleted.tweet);
        writer.time(deleted.time, time_of(deleted.tweet));
    });
    writer.list(past, write_past);
    for times in [requested, wrong_codes, locks] {
        let mut before = Time::ZERO;
        writer.list(times, |writer, time| {
            writer.time(*time, before);
            before = *time;
        });
    }
    for time in [answered, unlinked_at] {
        writer.option(*time, |writer, time| writer.time(time, Time::ZERO));
    }
    writer.list(units, |writer, units| {
        writer.text(&units.offer_id);
        writer.number(units.units);
        writer.time(units.ends_at, Time::ZERO);
    });
    writer.list(spent, |writer, spent| {
        writer.signed(spent.day);
        write_money(writer, spent.sum);
    });
    writer.list(cards, |writer, card| {
        writer.text(card.card_token.as_str());
        writer.time(card.redeem_by, Time::ZERO);
    });
}

pub(super) fn read_history(reader: &mut Reader<'_>) -> Option<History> {
    let markers = reader.list(read_marker)?;
    let deletions = reader.list(|reader| {
        let tweet = reader.tweet()?;
        Some(Deleted { tweet, time: reader.time(time_of(tweet))? })
    })?;
    let past = reader.list(read_past)?;
    let [requested, wrong_codes, locks] = [read_times(reader)?, read_times(reader)?, read_times(reader)?];
    let answered = reader.option(|reader| reader.time(Time::ZERO))?;
    let unlinked_at = reader.option(|reader| reader.time(Time::ZERO))?;
    let units = reader.list(|reader| {
        let offer_id = reader.text()?.to_owned();
        Some(Units { offer_id, units: reader.number()?, ends_at: reader.time(Time::ZERO)? })
    })?;
    let spent = reader.list(|reader| Some(Spent { day: reader.signed()?, sum: read_money(reader)? }))?;
    let cards = reader.list(|reader| {
        let card_token = CardToken::new(reader.text()?);
        Some(LoadedOn { card_token, redeem_by: reader.time(Time::ZERO)? })
    })?;
    Some(History {
        markers,
        deletions,
        past,
        requested,
        wrong_codes,
        locks,
        answered,
        units,
        spent,
        cards,
        unlinked_at,
    })
}

fn read_times(reader: &mut Reader<'_>) -> Option<Vec<Time>> {
    let mut before = Time::ZERO;
    reader.list(|reader| {
        before = reader.time(before)?;
        Some(before)
    })
}

fn write_marker(writer: &mut Writer, marker: &Marker) {
    let Marker { tweet, version, time, verdicts } = marker;
    writer.tweet(*tweet);
    writer.id_beside(version.get(), tweet.get());
    writer.time(*time, time_of(*version));
    writer.list(verdicts, |writer, verdict| {
        let outcome = match verdict.outcome {
            VerdictKind::Requested => 0,
            VerdictKind::Reminded => 1,
            VerdictKind::Confirmed => 2,
            VerdictKind::Nothing => 3,
            VerdictKind::Loaded => 4,
            VerdictKind::Refused(reason) => REFUSED + reason as u8,
        };
        writer.byte(outcome << 1 | if verdict.code.is_some() { HAS_CODE } else { 0 });
        if let Some(code) = verdict.code {
            writer.code(code);
        }
    });
}

fn read_marker(reader: &mut Reader<'_>) -> Option<Marker> {
    let tweet = reader.tweet()?;
    let version = TweetId::new(reader.id_beside(tweet.get())?)?;
    let time = reader.time(time_of(version))?;
    let verdicts = reader.list(|reader| {
        let byte = reader.byte()?;
        let outcome = match byte >> 1 {
            0 => VerdictKind::Requested,
            1 => VerdictKind::Reminded,
            2 => VerdictKind::Confirmed,
            3 => VerdictKind::Nothing,
            4 => VerdictKind::Loaded,
            reason => VerdictKind::Refused(*Reason::ALL.get(usize::from(reason - REFUSED))?),
        };
        let code = if byte & HAS_CODE == 0 { None } else { Some(reader.code()?) };
        Some(Verdict { outcome, code })
    })?;
    Some(Marker { tweet, version, time, verdicts })
}

fn write_past(writer: &mut Writer, past: &Past) {
    let Past { code, purchase_id, offer_id, offer_version, outcome, deadline, decided } = past;
    writer.code(*code);
    writer.bytes(purchase_id.as_bytes());
    writer.text(offer_id);
    writer.number(*offer_version);
    match outcome {
        Outcome::Confirmed => writer.byte(0),
        Outcome::Lapsed => writer.byte(1),
        Outcome::Cancelled => writer.byte(2),
        Outcome::Submitted { price, day } => {
            writer.byte(3);
            write_money(writer, *price);
            writer.signed(*day);
        }
    }
    writer.time(*deadline, Time::ZERO);
    writer.time(*decided, *deadline);
}

fn read_past(reader: &mut Reader<'_>) -> Option<Past> {
    let code = reader.code()?;
    let purchase_id = Uuid::from_bytes(reader.array()?);
    let offer_id = reader.text()?.to_owned();
    let offer_version = reader.number()?;
    let outcome = match reader.byte()? {
        0 => Outcome::Confirmed,
        1 => Outcome::Lapsed,
        2 => Outcome::Cancelled,
        _ => Outcome::Submitted { price: read_money(reader)?, day: reader.signed()? },
    };
    let deadline = reader.time(Time::ZERO)?;
    let decided = reader.time(deadline)?;
    Some(Past { code, purchase_id, offer_id, offer_version, outcome, deadline, decided })
}
