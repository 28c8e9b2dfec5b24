//! Golden scenarios: each file of `tests/scenarios` is played to the program, and the events are
//! compared with what the file says. The language is told in `tests/common/scenario/mod.rs`.
//!
//! `cargo test --test scenarios NAME` plays the scenarios whose names contain NAME.

#[path = "common/codes.rs"]
mod codes;
#[path = "common/scenario/mod.rs"]
mod scenario;
#[path = "common/schema.rs"]
mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use scenario::{Staged, difference, parse, stage};

const SECRET: &str = "a golden secret";

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut trials = language();
    match files(&folder) {
        Ok(files) => trials.extend(files.into_iter().map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Trial::test(name.clone(), move || play(&name, &file))
        })),
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            std::process::exit(2);
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn play(name: &str, file: &Path) -> Result<(), Failed> {
    let source = fs::read_to_string(file)?;
    let at = |fault| Failed::from(format!("tests/scenarios/{name}.txt:{fault}"));
    let statements = parse(&source).map_err(at)?;
    let staged = stage(&statements, SECRET).map_err(at)?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenarios").join(name);
    let events = replay(&staged, &folder)?;
    if let Some(fault) = events.iter().find_map(schema::fault) {
        return Err(Failed::from(format!("tests/scenarios/{name}.txt: {fault}")));
    }
    match difference(&staged.expected, &events, &staged.names) {
        None => Ok(()),
        Some(difference) => Err(Failed::from(format!(
            "tests/scenarios/{name}.txt: {}\n{difference}what was played is in {}",
            source.lines().next().unwrap_or_default(),
            folder.display()
        ))),
    }
}

/// Runs the program over a staged scenario, in a folder of its own that is left for the reader.
fn replay(staged: &Staged, folder: &Path) -> Result<Vec<Value>, Failed> {
    fs::create_dir_all(folder)?;
    let expected: String = staged.expected.iter().map(|(_, event)| format!("{event}\n")).collect();
    let arguments = staged.until.as_ref().map_or_else(String::new, |until| format!("--until {until}\n"));
    let files = [
        ("offers.jsonl", &staged.offers),
        ("accounts.jsonl", &staged.accounts),
        ("transactions.jsonl", &staged.transactions),
        ("tweets.jsonl", &staged.tweets),
        ("dead-letters.jsonl", &String::new()),
        ("expected.jsonl", &expected),
        ("args", &arguments),
        ("secret", &format!("{SECRET}\n")),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content)?;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_hashbuy"));
    command.current_dir(folder).stdin(Stdio::null()).arg("replay");
    command.args(["--offers", "offers.jsonl", "--accounts", "accounts.jsonl", "--secret-file", "secret"]);
    command.args(["--dead-letters", "dead-letters.jsonl"]);
    if !staged.transactions.is_empty() {
        command.args(["--card-transactions", "transactions.jsonl"]);
    }
    if let Some(until) = &staged.until {
        command.args(["--until", until]);
    }
    let output = command.arg("tweets.jsonl").output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}, stderr: {errors}", output.status).into());
    }
    let dead = fs::read_to_string(folder.join("dead-letters.jsonl"))?;
    if !dead.is_empty() {
        return Err(format!("no tweet of a scenario is a dead letter, but: {dead}").into());
    }
    let lines = String::from_utf8(output.stdout)?;
    let events: Result<Vec<Value>, _> = lines.lines().map(serde_json::from_str).collect();
    events.map_err(|error| Failed::from(format!("{error} in {lines}")))
}

/// The runner is tested as well: a golden file that means something else than it says is worse
/// than none.
fn language() -> Vec<Trial> {
    vec![
        Trial::test("language::codes_and_ids_of_known_purchases", known_codes),
        Trial::test("language::a_slip_of_the_pen_is_a_fault_with_its_line", slips),
        Trial::test("language::what_is_staged", staged),
        Trial::test("language::what_is_paid_is_staged", paid),
        Trial::test("language::differences_are_seen", differences),
    ]
}

fn equal<T: PartialEq + std::fmt::Debug>(got: T, wanted: T) -> Result<(), Failed> {
    if got == wanted { Ok(()) } else { Err(format!("got {got:?}, wanted {wanted:?}").into()) }
}

/// Literal values of another implementation of the same rules.
fn known_codes() -> Result<(), Failed> {
    let secret = "teapots are public, secrets are not";
    equal(codes::code(secret, 70_210_001, "teapot", 727_784_831_185_847_308).as_str(), "#Confirm5SGSM64E")?;
    // For these n = 0 gives fewer than two digits.
    equal(codes::code(secret, 70_210_001, "teapot", 727_784_831_185_848_427).as_str(), "#Confirm7JDGC4KY")?;
    equal(
        codes::code(secret, 2_890_017_345, "teapot", 727_784_839_574_456_457).as_str(),
        "#ConfirmXX5896TY",
    )?;
    let purchase = codes::purchase_id(70_210_001, "teapot", 727_784_831_185_847_308);
    equal(purchase.as_str(), "829671c5-005b-58d3-888a-cdb49ac9613f")?;
    let event = codes::event_id("purchase.confirmed", &purchase, 727_785_334_502_327_313_u64, "teapot");
    equal(event.as_str(), "0e59a2f8-a9c1-5601-b4f0-e3556281fc76")?;
    Ok(())
}

const TABLES: &str = "offer teapot #GetTeapot 24.50 USD\naccount anna\n";

fn slips() -> Result<(), Failed> {
    let cases = [
        ("12:00 anna tweets \"x\"", "3: what follows is missing"),
        ("12:00 anna tweets \"x -> nothing", "3: a text without its closing"),
        ("12:00 anna tweets \"\\x\" -> nothing", "3: \"\\x\" is no JSON string"),
        ("12:00 anna sings \"x\" -> nothing", "3: anna sings"),
        ("anna tweets \"x\" -> nothing", "3: this needs a time"),
        ("25:00 anna tweets \"x\" -> nothing", "3: 25:00 anna"),
        ("12:00:00.00 anna tweets \"x\" -> nothing", "3: 12:00:00.00 anna"),
        ("12:00 anna tweets \"x\" loudly -> nothing", "3: Word(\"loudly\") is not known here"),
        ("12:00 anna tweets \"x\" as v3 -> nothing", "3: v3 is no format"),
        ("12:00 anna tweets \"x\" as v2 truncated -> nothing", "3: truncated: this format has no such thing"),
        ("12:00 anna tweets \"x\" -> nothing, lapsed A", "3: nothing stands alone"),
        ("12:00 anna tweets \"x\" -> refused boredom", "3: boredom is no reason"),
        ("12:00 anna tweets \"x\" -> cancelled A boredom", "3: boredom is no cause"),
        ("12:00 anna tweets \"x\" -> requested A requested B", "3: there is no offer"),
        ("12:00 anna tweets \"x\" -> reminded A reminded B", "3: Word(\"reminded\") is not known here"),
        ("12:00 anna tweets \"x\" -> confirmed A", "3: no purchase A"),
        ("12:00 anna tweets \"{A}\" -> nothing", "3: no purchase A"),
        ("12:00 anna tweets \"x\" -> requested A kettle", "3: there is no offer kettle"),
        ("12:00 bert tweets \"x\" -> nothing", "3: bert is neither"),
        ("12:00 anna tweets \"x\" 3 times every 1 -> requested A", "3: of a tweet that comes many times"),
        ("12:00 passes -> requested A", "3: only a tweet requests"),
        ("12:00 offer teapot shiny USD -> nothing", "3: shiny is not known here"),
        ("12:00 offer kettle 2.00 USD -> nothing", "3: offer kettle has no hashtag"),
        ("12:00 account anna rich -> nothing", "3: rich is nothing that an account has"),
        ("12:00 account anna frozen -> nothing", "3: no tweet comes after the last table line"),
        ("12:00 passes -> nothing\n11:00 account anna frozen -> nothing", "4: desk time is already"),
        (
            "12:00 account anna frozen -> nothing\n11:00 passes -> nothing",
            "4: the table line of 2013-02-13T12:00:00.000Z is not",
        ),
        ("again A -> nothing", "3: no tweet is called A"),
        ("anna pays 1.00 USD at mall -> nothing", "3: this needs a time"),
        ("12:00 anna pays 1.00 USD -> nothing", "3: at is missing before Arrow"),
        ("12:00 anna pays little USD at mall -> nothing", "3: little is not known here"),
        ("12:00 anna gets 1.00 USD of P -> nothing", "3: back is missing before of"),
        ("12:00 anna gets 1.00 USD back of P -> nothing", "3: no payment is called P"),
        ("stranger zed\n12:00 zed pays 1.00 USD at mall -> nothing", "4: zed has no account: which card?"),
        ("12:00 anna tweets \"x\" -> loaded A", "3: of which offer?"),
        ("12:00 anna tweets \"x\" -> loaded A teapot", "3: there is no coupon teapot"),
        ("12:00 settles -> expired A", "3: no coupon A is loaded"),
        (
            "12:00 settles -> nothing\n12:00 account anna frozen -> nothing",
            "4: at one time the tables come before",
        ),
        ("12:00 passes -> nothing\n12:00 settles -> nothing", "4: desk time is already"),
        (
            "12:00 anna pays 1.00 USD at mall called P -> nothing\n12:00 passes -> nothing\nagain P -> nothing",
            "5: the copy of P has to stand directly behind it",
        ),
        (
            "offer shoes #LoadShoes credit 1.00 USD\n12:00 anna tweets \"x\" -> loaded A, redeemed A 1.00 USD",
            "4: by which payment or refund?",
        ),
        (
            "offer shoes #LoadShoes credit 1.00 USD\n12:00 anna tweets \"x\" -> loaded A\n12:01 settles -> reversed A",
            "5: A is not redeemed yet",
        ),
        ("offer shoes #LoadShoes min_spend 1.00 USD", "3: offer shoes has no price"),
        ("12:00 until -> nothing\n12:01 passes -> nothing", "3: until is the last line"),
    ];
    for (lines, wanted) in cases {
        let staged = parse(&format!("{TABLES}{lines}\n")).and_then(|statements| stage(&statements, SECRET));
        let message = staged.err().map_or_else(|| "no fault".to_owned(), |fault| fault.to_string());
        if !message.starts_with(wanted) {
            return Err(format!("{lines}\n  got    {message}\n  wanted {wanted}").into());
        }
    }
    equal(parse("# only words\n").err().map(|fault| fault.line), Some(1))
}

fn staged() -> Result<(), Failed> {
    let source = format!(
        "{TABLES}12:00:00.001 anna tweets \"\\u0023GetTeapot {{A:lower}}\" as v2 -> requested A // a comment\n\
         12:05 account anna frozen -> cancelled A frozen\n\
         12:04 anna tweets raw \"\\u0023x\" -> nothing\n12:06 until -> nothing\n"
    );
    let late = parse(&source).and_then(|statements| stage(&statements, SECRET)).err().map(|fault| fault.line);
    equal(late, Some(5))?;
    let source = source.replace("12:04", "12:05");
    let staged = parse(&source)
        .and_then(|statements| stage(&statements, SECRET))
        .map_err(|fault| Failed::from(fault.to_string()))?;
    equal(staged.until.as_deref(), Some("2013-02-13T12:06:00.000Z"))?;
    let lines: Vec<&str> = staged.tweets.lines().collect();
    equal(lines.len(), 2)?;
    let first: Value = serde_json::from_str(lines[0])?;
    let id = first["data"]["id"].as_str().unwrap_or_default().parse::<u64>()?;
    equal((id >> 22) + 1_288_834_974_657, 1_360_756_800_001)?;
    let code = codes::code(SECRET, 1_000_001, "teapot", id);
    let text = format!("#GetTeapot {}", code.to_lowercase());
    equal(first["data"]["text"].as_str(), Some(text.as_str()))?;
    equal(lines[1].contains(r#""text":"\u0023x""#), true)?;
    equal(staged.accounts.contains(r#""at":"2013-02-13T12:05:00.000Z","key":"1000001""#), true)?;
    let [(3, requested), (4, cancelled)] = &staged.expected[..] else {
        return Err(format!("two events were told, not {:?}", staged.expected).into());
    };
    equal(requested["code"].as_str(), Some(code.as_str()))?;
    equal(requested["deadline"].as_str(), Some("2013-02-13T12:15:00.001Z"))?;
    equal(requested["price"]["amount"].as_u64(), Some(2450))?;
    equal(cancelled["at"].as_str(), Some("2013-02-13T12:05:00.000Z"))
}

fn paid() -> Result<(), Failed> {
    let source = format!(
        "{TABLES}offer shoes #LoadShoes credit 10.00 USD min_spend 50.00 USD merchant mall redeem_by 1d+12:00\n\
         12:00 anna tweets \"#LoadShoes\" -> loaded A\n\
         12:01 anna pays 62.00 USD at mall called P -> redeemed A 10.00 USD\n\
         again P -> nothing\n\
         12:02 anna gets 12.01 USD back of P called R -> reversed A\n"
    );
    let staged = parse(&source)
        .and_then(|statements| stage(&statements, SECRET))
        .map_err(|fault| Failed::from(fault.to_string()))?;
    let transactions: Result<Vec<Value>, _> = staged.transactions.lines().map(serde_json::from_str).collect();
    let [payment, copy, refund] = &transactions?[..] else {
        return Err(format!("three transactions were told, not {}", staged.transactions).into());
    };
    equal(payment, copy)?;
    let read = "{\"transaction_id\":\"t-P\",\"card_token\":\"tok_anna\",\"merchant_id\":\"mall\",\"kind\":\"payment\",\
        \"amount\":{\"amount\":6200,\"currency\":\"USD\"},\"at\":\"2013-02-13T12:01:00.000Z\"}";
    equal(payment, &serde_json::from_str(read)?)?;
    equal((refund["of"].as_str(), refund["kind"].as_str()), (Some("t-P"), Some("refund")))?;
    let types: Vec<&str> = staged.expected.iter().filter_map(|(_, event)| event["type"].as_str()).collect();
    equal(
        types.as_slice(),
        &["coupon.loaded", "coupon.redeemed", "order.credited", "coupon.reversed", "order.credit_reversed"],
    )?;
    let reversed = &staged.expected[3].1;
    equal(reversed["credited"]["amount"].as_u64(), Some(1_000))?;
    equal(reversed["transaction_id"].as_str(), Some("t-R"))?;
    equal(reversed["redeem_by"].as_str(), Some("2013-02-14T12:00:00.000Z"))?;
    equal(staged.expected[4].1["card_token"].as_str(), Some("tok_anna"))
}

fn differences() -> Result<(), Failed> {
    let source = format!(
        "{TABLES}offer kettle #GetKettle 10.00 USD\n12:00 anna tweets \"#GetTeapot #GetKettle\" -> requested A teapot, requested B kettle\n\
         12:01 anna tweets \"{{A}}\" -> confirmed A\n"
    );
    let staged = parse(&source)
        .and_then(|statements| stage(&statements, SECRET))
        .map_err(|fault| Failed::from(fault.to_string()))?;
    let told: Vec<Value> = staged.expected.iter().map(|(_, event)| event.clone()).collect();
    let differs = |events: &[Value]| difference(&staged.expected, events, &staged.names);
    equal(differs(&told), None)?;
    equal(told.len(), 4)?;
    let mut worded = told.clone();
    worded[0]["reply"]["text"] = "free wording".into();
    equal(differs(&worded), None)?;
    for (change, wanted) in [
        ("swap", "line 4"),
        ("pop", "line 5"),
        ("push", "nothing more"),
        ("price", "price"),
        ("null", "absent"),
    ] {
        let mut events = told.clone();
        match change {
            "swap" => events.swap(0, 1),
            "pop" => drop(events.pop()),
            "push" => events.push(told[0].clone()),
            "price" => events[3]["price"]["amount"] = 1.into(),
            _ => events[2]["cause"] = Value::Null,
        }
        let message = differs(&events).unwrap_or_default();
        if !message.contains(wanted) {
            return Err(format!("{change}: {wanted} is not in {message}").into());
        }
    }
    Ok(())
}
