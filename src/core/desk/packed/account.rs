//! An account with what is remembered of it: all of the entity but its pendings.

use std::sync::Arc;

use super::history::{read_history, write_history};
use super::{Packed, Reader, Writer};
use crate::core::account::{Account, AccountStatus, Caps};
use crate::core::desk::buyer::Buyer;
use crate::core::ids::AccountId;
use crate::core::inbox::Position;
use crate::core::money::{Currency, Money};
use crate::core::time::Time;

/// Packs an entity without its pendings.
pub(in crate::core::desk) fn pack_account(buyer: &Buyer) -> Packed {
    let Buyer { id, account, position, pendings: _, history } = buyer;
    let mut writer = Writer::new();
    writer.option(position.as_ref(), |writer, position| {
        writer.number(position.epoch);
        writer.number(position.offset);
    });
    writer.option(account.as_deref(), |writer, account| write_account(writer, account, *id));
    // Most accounts have none.
    let history = (!history.is_empty()).then_some(history);
    writer.option(history, write_history);
    writer.packed()
}

/// The entity of an account without its pendings.
pub(in crate::core::desk) fn unpack_account(id: AccountId, packed: &Packed) -> Option<Buyer> {
    let mut reader = packed.read();
    let position =
        reader.option(|reader| Some(Position { epoch: reader.number()?, offset: reader.number()? }))?;
    let account = reader.option(|reader| read_account(reader, id))?.map(Arc::new);
    let history = reader.option(read_history)?.unwrap_or_default();
    Some(Buyer { id, account, position, pendings: Vec::new(), history })
}

fn write_account(writer: &mut Writer, account: &Account, id: AccountId) {
    let Account { account_id, screen_name, card_token, delivery_ref, status, linked_at, caps } = account;
    writer.id_beside(account_id.get(), id.get());
    writer.option(screen_name.as_deref(), Writer::text);
    writer.text(card_token);
    writer.text(delivery_ref);
    writer.byte(u8::from(*status == AccountStatus::Frozen));
    writer.time(*linked_at, Time::ZERO);
    writer.option((!caps.is_empty()).then_some(caps), |writer, caps| {
        let Caps { per_day, pendings, requests_per_hour, wrong_codes_per_hour, hold_seconds } = caps;
        writer.option(*per_day, write_money);
        for limit in [pendings, requests_per_hour, wrong_codes_per_hour, hold_seconds] {
            writer.option(*limit, Writer::number);
        }
    });
}

fn read_account(reader: &mut Reader<'_>, id: AccountId) -> Option<Account> {
    Some(Account {
        account_id: AccountId::new(reader.id_beside(id.get())?)?,
        screen_name: reader.option(Reader::text)?.map(str::to_owned),
        card_token: reader.text()?.to_owned(),
        delivery_ref: reader.text()?.to_owned(),
        status: if reader.byte()? == 0 { AccountStatus::Active } else { AccountStatus::Frozen },
        linked_at: reader.time(Time::ZERO)?,
        caps: reader.option(read_caps)?.unwrap_or_default(),
    })
}

fn read_caps(reader: &mut Reader<'_>) -> Option<Caps> {
    Some(Caps {
        per_day: reader.option(read_money)?,
        pendings: reader.option(Reader::number)?,
        requests_per_hour: reader.option(Reader::number)?,
        wrong_codes_per_hour: reader.option(Reader::number)?,
        hold_seconds: reader.option(Reader::number)?,
    })
}

pub(super) fn write_money(writer: &mut Writer, money: Money) {
    writer.signed(money.amount);
    writer.bytes(money.currency.code().as_bytes());
}

pub(super) fn read_money(reader: &mut Reader<'_>) -> Option<Money> {
    let amount = reader.signed()?;
    let currency = Currency::parse(str::from_utf8(reader.bytes(3)?).ok()?)?;
    Some(Money { amount, currency })
}
