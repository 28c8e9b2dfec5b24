//! Bad records of the tables: every rule with its message, and what no message may hold.

// Clippy knows `#[test]` functions, but not the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use hashbuy::core::account::{Account, AccountStatus};
use hashbuy::core::offer::{Offer, OfferKind, OfferStatus};
use hashbuy::core::record::{MAX_RECORD, MAX_TEXT};
use serde_json::{Map, Value, json};

fn kindle() -> Value {
    json!({
        "offer_id": "kindle", "version": 2, "kind": "purchase", "status": "open", "hashtag": "#BuyKindle",
        "product": "Kindle", "merchant_id": "m-17", "price": {"amount": 14999, "currency": "USD"},
        "starts_at": "2013-02-13T00:00:00.000Z", "ends_at": "2013-03-03T23:59:59.999Z",
        "stock": 500, "per_account": 1, "window_seconds": 900, "cancel_pending": false,
    })
}

fn coupon() -> Value {
    json!({
        "offer_id": "zappos", "kind": "coupon", "hashtag": "＃AmexZappos",
        "credit": {"amount": 1000, "currency": "USD"}, "min_spend": {"amount": 5000, "currency": "USD"},
        "starts_at": "2013-02-13T00:00:00Z", "ends_at": "2013-03-03T00:00:00+01:00",
    })
}

fn anna() -> Value {
    json!({
        "account_id": "1234567", "screen_name": "anna", "card_token": "tok_9f2c", "delivery_ref": "addr_31",
        "status": "active", "linked_at": "2013-01-05T10:00:00.000Z",
        "caps": {"per_day": {"amount": 50000, "currency": "USD"}, "pendings": 5, "hold_seconds": 0},
    })
}

fn offer(record: &Value) -> Result<Offer, String> {
    Offer::from_json(&record.to_string(), "Confirm").map_err(|rejection| rejection.to_string())
}

fn account(record: &Value) -> Result<Account, String> {
    Account::from_json(&record.to_string()).map_err(|rejection| rejection.to_string())
}

/// A record with one field replaced; `null` takes it away. The field may be `price.amount`.
fn with(mut record: Value, field: &str, value: Value) -> Value {
    let mut object: &mut Map<String, Value> = record.as_object_mut().unwrap();
    let (path, name) = field.rsplit_once('.').unwrap_or(("", field));
    for part in path.split('.').filter(|part| !part.is_empty()) {
        object = object.get_mut(part).unwrap().as_object_mut().unwrap();
    }
    object.insert(name.to_owned(), value);
    record
}

#[test]
fn a_good_offer_reads_back_as_it_is_written() {
    for record in [kindle(), coupon()] {
        let offer = offer(&record).unwrap();
        let written = serde_json::to_value(&offer).unwrap();
        assert_eq!(serde_json::from_value::<Offer>(written.clone()).unwrap(), offer);
        assert_eq!(Offer::from_json(&written.to_string(), "Confirm").unwrap(), offer);
    }
    assert_eq!(serde_json::to_value(offer(&kindle()).unwrap()).unwrap(), kindle());
}

#[test]
fn what_an_offer_leaves_out_has_defaults() {
    let offer = offer(&coupon()).unwrap();
    assert_eq!((offer.version, offer.per_account, offer.stock, offer.window_seconds), (1, 1, None, None));
    assert_eq!((offer.status, offer.cancel_pending), (OfferStatus::Open, false));
    assert!(matches!(offer.kind, OfferKind::Coupon { redeem_by, .. } if redeem_by == offer.ends_at));
    assert_eq!(offer.ends_at.to_string(), "2013-03-02T23:00:00.000Z");
    assert_eq!(offer.folded_tag(), "amexzappos");
}

#[test]
fn optional_fields_may_be_null_and_unknown_ones_anything() {
    let mut record = kindle();
    for field in [
        "version",
        "status",
        "product",
        "merchant_id",
        "stock",
        "per_account",
        "window_seconds",
        "cancel_pending",
    ] {
        record = with(record, field, Value::Null);
    }
    record = with(record, "extra", json!({"deep": [1.5, null]}));
    assert_eq!(offer(&record).unwrap().stock, None);
    let spoilt = r#"{"\ud800":1,"x":"\udc00 \ud800","n":1e999,"stock":"7","stock":7,"#;
    let text = kindle().to_string().replacen('{', spoilt, 1).replace("\"stock\":500,", "");
    assert_eq!(Offer::from_json(&text, "Confirm").unwrap().stock, Some(7), "the last one counts");
}

#[test]
fn every_rule_of_an_offer() {
    let time = "must be an RFC 3339 time of 1970 to 9999 such as 2013-02-13T16:45:00.000Z";
    let money = r#"must be an object such as {"amount":14999,"currency":"USD"}"#;
    let capitals = "must be an ISO 4217 code of three capitals such as USD";
    let tag = "must be one whole hashtag with its sign, such as #BuyKindle";
    let bound = "must be at most 1024 bytes of UTF-8";
    let cases: Vec<(&str, Value, String)> = vec![
        ("kind", json!(null), "kind is missing, must be \"purchase\" or \"coupon\"".into()),
        ("kind", json!("gift"), "kind is \"gift\", must be \"purchase\" or \"coupon\"".into()),
        ("kind", json!(1), "kind is 1, must be a text".into()),
        ("status", json!("happy"), "status is \"happy\", must be \"open\" or \"withdrawn\"".into()),
        ("hashtag", json!(null), "hashtag is missing, must be a text".into()),
        ("hashtag", json!("BuyKindle"), format!("hashtag is \"BuyKindle\", {tag}")),
        ("hashtag", json!("#Buy Kindle"), format!("hashtag is \"#Buy Kindle\", {tag}")),
        ("hashtag", json!("#12345"), format!("hashtag is \"#12345\", {tag}")),
        (
            "hashtag",
            json!("＃confirmKindle"),
            "hashtag is \"＃confirmKindle\", must not begin with Confirm, as confirmation codes do".into(),
        ),
        (
            "price",
            json!(null),
            r#"price is missing, must be an object such as {"amount":14999,"currency":"USD"}"#.into(),
        ),
        ("price", json!("5 USD"), format!("price is \"5 USD\", {money}")),
        ("price", json!([1]), format!("price is a list, {money}")),
        (
            "price.amount",
            json!(null),
            "price.amount is missing, must be a whole number of minor units (cents)".into(),
        ),
        ("price.amount", json!(-1), "price.amount is -1, must be 0 to 2^63 - 1".into()),
        ("price.amount", json!(9.5), "price.amount is 9.5, must be a whole number, 0 to 2^63 - 1".into()),
        ("price.amount", json!(5.0), "price.amount is 5.0, must be a whole number, 0 to 2^63 - 1".into()),
        (
            "price.amount",
            json!(11_111_111_111_111_111_111_u64),
            "price.amount is 11111111111111111111, must be 0 to 2^63 - 1".into(),
        ),
        ("price.amount", json!("5"), "price.amount is \"5\", must be a whole number, 0 to 2^63 - 1".into()),
        ("price.currency", json!(null), "price.currency is missing, must be an ISO 4217 code".into()),
        ("price.currency", json!("usd"), format!("price.currency is \"usd\", {capitals}")),
        ("price.currency", json!("US"), format!("price.currency is \"US\", {capitals}")),
        ("starts_at", json!(null), "starts_at is missing, must be a time".into()),
        ("starts_at", json!("soon"), format!("starts_at is \"soon\", {time}")),
        (
            "starts_at",
            json!("1969-12-31T23:59:59Z"),
            format!("starts_at is \"1969-12-31T23:59:59Z\", {time}"),
        ),
        ("starts_at", json!(1_360_713_600), "starts_at is 1360713600, must be a text".into()),
        (
            "ends_at",
            json!("2013-02-12T00:00:00Z"),
            "ends_at is \"2013-02-12T00:00:00Z\", must not be before starts_at, 2013-02-13T00:00:00.000Z"
                .into(),
        ),
        ("window_seconds", json!(59), "window_seconds is 59, must be 60 to 3600".into()),
        ("window_seconds", json!(3_601), "window_seconds is 3601, must be 60 to 3600".into()),
        (
            "window_seconds",
            json!("900"),
            "window_seconds is \"900\", must be a whole number, 60 to 3600".into(),
        ),
        ("per_account", json!(0), "per_account is 0, must be 1 to 2^64 - 1".into()),
        ("stock", json!(0), "stock is 0, must be 1 to 2^64 - 1".into()),
        ("stock", json!("7"), "stock is \"7\", must be a whole number, 1 to 2^64 - 1".into()),
        ("stock", json!(true), "stock is true, must be a whole number, 1 to 2^64 - 1".into()),
        ("version", json!("2"), "version is \"2\", must be a whole number, 0 to 2^64 - 1".into()),
        ("version", json!(-1), "version is -1, must be 0 to 2^64 - 1".into()),
        ("merchant_id", json!(17), "merchant_id is 17, must be a text".into()),
        ("product", json!("p".repeat(MAX_TEXT + 1)), format!("product is 1025 bytes long, {bound}")),
        (
            "merchant_id",
            json!("é".repeat(MAX_TEXT / 2 + 1)),
            format!("merchant_id is 1026 bytes long, {bound}"),
        ),
        ("cancel_pending", json!("yes"), "cancel_pending is \"yes\", must be true or false".into()),
    ];
    for (field, value, message) in cases {
        assert_eq!(offer(&with(kindle(), field, value)), Err(format!("offer kindle: {message}")), "{field}");
    }
}

#[test]
fn every_rule_of_a_coupon() {
    for (field, value, message) in [
        ("stock", json!(5), "stock is 5, must be left out: a coupon has no stock"),
        (
            "credit",
            json!(null),
            "credit is missing, must be an object such as {\"amount\":14999,\"currency\":\"USD\"}",
        ),
        (
            "min_spend",
            json!(5),
            "min_spend is 5, must be an object such as {\"amount\":14999,\"currency\":\"USD\"}",
        ),
        ("min_spend.amount", json!(-5), "min_spend.amount is -5, must be 0 to 2^63 - 1"),
        ("redeem_by", json!(false), "redeem_by is false, must be a text"),
    ] {
        assert_eq!(offer(&with(coupon(), field, value)), Err(format!("offer zappos: {message}")), "{field}");
    }
}

#[test]
fn an_offer_without_an_id_is_rejected_without_a_name() {
    for (value, message) in [
        (json!(null), "offer_id is missing, must be a text"),
        (json!(5), "offer_id is 5, must be a text"),
        (json!(""), "offer_id is \"\", must not be empty"),
    ] {
        assert_eq!(offer(&with(kindle(), "offer_id", value)), Err(format!("offer: {message}")));
    }
    for (json, found) in [
        ("[]", "a list"),
        ("5", "a number"),
        ("\"x\"", "a text"),
        ("null", "null"),
        ("{", "broken JSON at column 1"),
    ] {
        let rejection = Offer::from_json(json, "Confirm").unwrap_err();
        assert_eq!(rejection.to_string(), format!("offer: the record is {found}, must be a JSON object"));
        assert_eq!(rejection.id(), None);
    }
}

#[test]
fn the_edges_are_in() {
    for (field, value) in [
        ("window_seconds", json!(60)),
        ("window_seconds", json!(3_600)),
        ("price.amount", json!(0)),
        ("price.amount", json!(i64::MAX)),
        ("stock", json!(1)),
        ("stock", json!(u64::MAX)),
        ("version", json!(0)),
        ("product", json!("p".repeat(MAX_TEXT))),
        ("ends_at", json!("2013-02-13T00:00:00.000Z")),
    ] {
        assert!(offer(&with(kindle(), field, value.clone())).is_ok(), "{field} {value}");
    }
    let id = u64::MAX.to_string();
    assert_eq!(account(&with(anna(), "account_id", json!(id))).unwrap().account_id.get(), u64::MAX);
}

#[test]
fn numbers_are_plain_and_texts_are_whole() {
    let kindle = kindle().to_string();
    let swapped = |from: &str, to: &str| {
        assert!(kindle.contains(from));
        Offer::from_json(&kindle.replace(from, to), "Confirm").map_err(|rejection| rejection.to_string())
    };
    for number in ["1e3", "900.0", "9E2"] {
        let message = format!("offer kindle: window_seconds is {number}, must be a whole number, 60 to 3600");
        assert_eq!(swapped("\"window_seconds\":900", &format!("\"window_seconds\":{number}")), Err(message));
    }
    assert_eq!(
        swapped("\"stock\":500", "\"stock\":111111111111111111111"),
        Err("offer kindle: stock is 111111111111111111111, must be 1 to 2^64 - 1".to_owned())
    );
    assert_eq!(
        swapped("\"product\":\"Kindle\"", r#""product":"a\ud800b""#),
        Err("offer kindle: product is a text with a broken escape, must be a text".to_owned())
    );
    let long = swapped("\"status\":\"open\"", &format!("\"status\":\"{}\\u001b[31m\"", "x\\n".repeat(29)))
        .unwrap_err();
    assert_eq!(
        long,
        format!(
            "offer kindle: status is \"{}\\u{{1b}}[…\", must be \"open\" or \"withdrawn\"",
            "x\\n".repeat(29)
        )
    );
}

#[test]
fn a_record_may_be_a_mebibyte_long() {
    let padded = |size: usize| {
        let record = kindle().to_string();
        let padding = " ".repeat(size - record.len());
        Offer::from_json(&record.replacen('{', &format!("{{{padding}"), 1), "Confirm")
    };
    assert!(padded(MAX_RECORD).is_ok());
    let rejection = padded(MAX_RECORD + 1).unwrap_err();
    assert_eq!(
        rejection.to_string(),
        "offer kindle: the record is 1048577 bytes long, must be at most 1048576 bytes"
    );
    assert_eq!(rejection.id(), Some("kindle"));
}

#[test]
fn a_good_account_reads_back_as_it_is_written() {
    let account = account(&anna()).unwrap();
    assert_eq!(account.status, AccountStatus::Active);
    assert_eq!((account.caps.hold_seconds, account.caps.requests_per_hour), (Some(0), None));
    let written = serde_json::to_value(&account).unwrap();
    assert_eq!(written, anna());
    assert_eq!(serde_json::from_value::<Account>(written).unwrap(), account);
    assert!(!format!("{account:?}").contains("tok_9f2c"));
}

#[test]
fn every_rule_of_an_account() {
    let token = "must be the payment provider's token for the card";
    let number = format!(
        "card_token is like a card number (13 to 19 digits that pass the Luhn check; not shown), {token}"
    );
    let cases: Vec<(&str, Value, String)> = vec![
        ("card_token", json!(null), "card_token is missing, must be a text".into()),
        ("card_token", json!(""), format!("card_token is empty, {token}")),
        ("card_token", json!(4_242_424_242_424_242_u64), "card_token is a number, must be a text".into()),
        ("card_token", json!(["tok_9f2c"]), "card_token is a list, must be a text".into()),
        ("card_token", json!("t".repeat(MAX_TEXT + 1)), "card_token is 1025 bytes long, must be at most 1024 bytes of UTF-8".into()),
        ("card_token", json!("4242424242424242"), number.clone()),
        ("card_token", json!("4242 4242-4242\u{2014}4242"), number),
        ("delivery_ref", json!(null), "delivery_ref is missing, must be a text".into()),
        ("delivery_ref", json!(5), "delivery_ref is 5, must be a text".into()),
        ("status", json!(null), "status is missing, must be \"active\" or \"frozen\"".into()),
        ("status", json!("happy"), "status is \"happy\", must be \"active\" or \"frozen\"".into()),
        ("linked_at", json!(null), "linked_at is missing, must be a time".into()),
        ("linked_at", json!("soon"), "linked_at is \"soon\", must be an RFC 3339 time of 1970 to 9999 such as 2013-02-13T16:45:00.000Z".into()),
        ("screen_name", json!("s".repeat(1_025)), "screen_name is 1025 bytes long, must be at most 1024 bytes of UTF-8".into()),
        ("screen_name", json!(5), "screen_name is 5, must be a text".into()),
        ("caps", json!(5), "caps is 5, must be an object such as {\"pendings\":5}".into()),
        ("caps.per_day.amount", json!(-1), "caps.per_day.amount is -1, must be 0 to 2^63 - 1".into()),
        ("caps.pendings", json!("5"), "caps.pendings is \"5\", must be a whole number, 0 to 2^64 - 1".into()),
        ("caps.wrong_codes_per_hour", json!(0.5), "caps.wrong_codes_per_hour is 0.5, must be a whole number, 0 to 2^64 - 1".into()),
    ];
    for (field, value, message) in cases {
        assert_eq!(
            account(&with(anna(), field, value)),
            Err(format!("account 1234567: {message}")),
            "{field}"
        );
    }
}

#[test]
fn an_account_id_is_plain_decimals() {
    let mend = "must be a text of decimal digits without leading zeros, 1 to 2^64 - 1";
    for id in ["080300300", "0", "", "-5", "1.0", "abc", "111111111111111111111", " 7"] {
        let message = format!("account: account_id is {id:?}, {mend}");
        assert_eq!(account(&with(anna(), "account_id", json!(id))), Err(message));
    }
    assert!(account(&with(anna(), "account_id", json!("18446744073709551616"))).is_err());
    assert_eq!(
        account(&with(anna(), "account_id", json!(5))),
        Err("account: account_id is 5, must be a text".to_owned())
    );
}

#[test]
fn no_message_holds_a_token_or_what_looks_like_a_card_number() {
    let numbers =
        ["4242424242424242", "4242 4242 4242 4242", "id-4242-4242-4242-4242!", "tok_9f2c", "my tok_9f2c"];
    for field in ["account_id", "screen_name", "delivery_ref", "status", "linked_at", "caps", "caps.pendings"]
    {
        for value in numbers {
            for value in [json!(value), json!([value]), json!({"amount": value}), json!({ value: 1 })] {
                let Err(message) = account(&with(anna(), field, value)) else { continue };
                assert!(!message.contains("4242") && !message.contains("tok_9f2c"), "{message}");
            }
        }
        if let Err(message) = account(&with(anna(), field, json!(4_242_424_242_424_242_u64))) {
            assert!(message.contains("is a number like that of a card"), "{message}");
        }
    }
    let rejected = with(with(kindle(), "offer_id", json!("4242424242424242")), "stock", json!(0));
    let message = offer(&rejected).unwrap_err();
    assert!(message.starts_with("offer a text with something like a card number: stock is 0"), "{message}");
    // But an account id that happens to pass the check is no secret.
    let rejected = with(with(anna(), "account_id", json!("4242424242424242")), "status", json!(0));
    assert_eq!(account(&rejected).unwrap_err(), "account 4242424242424242: status is 0, must be a text");
}

/// Runs `hashbuy` with a file on stdin.
fn hashbuy(args: &[&str], stdin: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hashbuy"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end, with a message, before it has read all.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn lines(records: &[Value]) -> Vec<u8> {
    records.iter().map(|record| format!("{record}\n")).collect::<String>().into_bytes()
}

#[test]
fn checking_good_tables() {
    let (code, stdout, stderr) = hashbuy(&["offers", "check", "-"], &lines(&[kindle(), coupon()]));
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (Some(0), "-: 2 records, 2 valid, 0 rejected\n", "")
    );
    let (code, stdout, _) = hashbuy(&["accounts", "check", "-"], json!([anna()]).to_string().as_bytes());
    assert_eq!((code, stdout.as_str()), (Some(0), "-: 1 record, 1 valid, 0 rejected\n"));
    let (code, stdout, _) = hashbuy(&["accounts", "check", "-"], b"");
    assert_eq!((code, stdout.as_str()), (Some(0), "-: 0 records, 0 valid, 0 rejected\n"));
}

#[test]
fn checking_offers_reports_each_bad_record_and_each_tag_that_is_taken() {
    let zoo = with(with(kindle(), "offer_id", json!("zoo")), "window_seconds", json!(59));
    let late = with(with(kindle(), "offer_id", json!("late")), "hashtag", json!("＃buyKINDLE"));
    let timed = json!({"at": "2016-05-04T09:00:00Z", "key": "other", "value": with(coupon(), "hashtag", json!("#x"))});
    let taken_back = json!({"at": "2016-05-04T09:00:00Z", "key": "zappos", "value": null});
    let (code, stdout, stderr) = hashbuy(
        &["offers", "check", "-"],
        &lines(&[late, zoo, kindle(), timed, coupon(), taken_back, json!(5)]),
    );
    assert_eq!((code, stdout.as_str()), (Some(1), "-: 7 records, 3 valid, 4 rejected\n"));
    assert_eq!(
        stderr,
        "-:1: offer late: hashtag is \"＃buyKINDLE\", the tag of offer \"kindle\", must be another: \
         of two offers the one with the smaller offer_id keeps a tag\n\
         -:2: offer zoo: window_seconds is 59, must be 60 to 3600\n\
         -:4: offer zappos: the key is \"other\", must be the record's own id, \"zappos\"\n\
         -:7: offer: the record is a number, must be a JSON object\n"
    );
}

#[test]
fn checking_accounts_counts_those_on_one_card() {
    let accounts: Vec<Value> =
        ["1", "2", "2", "3", "4"].iter().map(|id| with(anna(), "account_id", json!(id))).collect();
    let (code, stdout, stderr) = hashbuy(&["accounts", "check", "-"], &lines(&accounts));
    assert_eq!((code, stdout.as_str()), (Some(1), "-: 5 records, 4 valid, 1 rejected\n"));
    assert_eq!(
        stderr,
        "-:5: account 4: card_token is that of a card with 3 other accounts, must be another: \
         at most 3 may share a card (limits.accounts_per_card)\n"
    );
    let unlinked = json!({"at": "2016-05-04T09:00:00Z", "key": "one", "value": null});
    let (code, _, stderr) = hashbuy(&["accounts", "check", "-"], &lines(&[unlinked]));
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "-:1: account: the key is \"one\", must be an account id: decimal digits without leading zeros, 1 to 2^64 - 1\n"
    );
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut check = Command::new(env!("CARGO_BIN_EXE_hashbuy"));
    check.args(["offers", "check", "-"]).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let output = check.output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn what_is_no_table_at_all_is_a_wrong_use() {
    let (code, stdout, stderr) = hashbuy(&["accounts", "check", "-"], b"{\"card_token\":\"tok_9f2c\n");
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.starts_with("hashbuy: standard input:1: broken JSON at column "), "{stderr}");
    assert!(!stderr.contains("tok_9f2c"), "{stderr}");
    let (code, _, stderr) = hashbuy(&["offers", "check", "/nowhere.jsonl"], b"");
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("hashbuy: /nowhere.jsonl: cannot be read: "), "{stderr}");
    assert_eq!(hashbuy(&["offers", "check"], b"").0, Some(2));
    assert_eq!(hashbuy(&["--version"], b"").0, Some(0));
}
