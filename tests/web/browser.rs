//! In a real browser, without a window: what a person does with mouse and keyboard, and sees. Pictures are left in
//! `target/tmp` for whoever wants to see what it looks like.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::built;
use crate::demo::{Case, Demo, PATIENCE};
use crate::driver::{Browser, key};
use crate::pages::HIDDEN;

pub const CASES: &[Case] = &[
    ("a_person_buys_with_the_mouse_and_kills_a_worker", a_person_buys_with_the_mouse_and_kills_a_worker),
    ("a_person_buys_with_the_keyboard_alone", a_person_buys_with_the_keyboard_alone),
    ("what_changes_is_shown_until_it_is_paused", what_changes_is_shown_until_it_is_paused),
    ("it_can_be_read_in_any_light_and_on_a_phone", it_can_be_read_in_any_light_and_on_a_phone),
];

/// A browser on one of the demo's pages.
fn at(demo: &Demo, path: &str) -> Browser {
    let browser = Browser::start();
    browser.look(1400, 2000, "light");
    browser.go(&format!("http://{}{path}", demo.address));
    browser
}

/// The row of the last answer to a guest.
fn last_answer(browser: &Browser) -> String {
    let row = browser.run("return document.querySelector('#outcome tbody tr').innerText");
    row.as_str().unwrap().to_owned()
}

/// A demo of its own: nobody else tweets as one of its guests, or kills.
fn a_person_buys_with_the_mouse_and_kills_a_worker(_: &Demo) {
    let demo = Demo::start();
    let browser = at(&demo, "/");
    browser.click("//select[@name='guest']/option[.='@grace']");
    browser.click("//input[@name='text']");
    browser.press("Finally! #BuyPuzzle");
    browser.click("//button[.='Tweet']");
    browser.await_text(&format!("@grace Tweet {HIDDEN}"));
    // Still as the same guest.
    browser.click("//button[.='Tweet the last code']");
    browser.await_text("@grace Done: Jigsaw Puzzle");
    browser.click("//button[.='Kill a desk worker']");
    browser.await_text("Desk workers killed\n1\nall are at work");
    browser.await_text("Double purchases\n0");
    assert_eq!(browser.console(), [""; 0]);
}

/// Goes on with the tabulator until the focus is on this, and says where it has been. Whatever gets the focus shows it.
fn tab_to(browser: &Browser, last: &str) -> Vec<String> {
    let focus = "const here = document.activeElement, style = getComputedStyle(here);
        const name = here.type === 'submit' ? here.textContent : here.name;
        return [name || here.textContent.trim().split('\\n')[0], style.outlineStyle, parseFloat(style.outlineWidth)]";
    let mut passed: Vec<String> = Vec::new();
    while passed.last().is_none_or(|name| name != last) {
        browser.press(&key::TAB.to_string());
        let here = browser.run(focus);
        assert!(here[1] != "none" && here[2].as_f64().unwrap() >= 2.0, "the focus is not seen: {here}");
        passed.push(here[0].as_str().unwrap().to_owned());
        assert!(passed.len() < 20, "{passed:?}");
    }
    passed
}

/// A demo of its own, as above.
fn a_person_buys_with_the_keyboard_alone(_: &Demo) {
    let demo = Demo::start();
    let browser = at(&demo, "/");
    let passed = tab_to(&browser, "guest");
    assert_eq!(passed, ["Skip to the content", "How it goes", "Offers", "Pause", "guest"]);
    // The guest below, and into the box.
    browser.press(&key::DOWN.to_string());
    assert_eq!(tab_to(&browser, "text"), ["text"]);
    browser.press(&format!("One more! #BuyPuzzle{}", key::ENTER));
    browser.await_text(&format!("@grace Tweet {HIDDEN}"));
    tab_to(&browser, "Tweet the last code");
    browser.press(&key::ENTER.to_string());
    browser.await_text("@grace Done: Jigsaw Puzzle");
    assert!(last_answer(&browser).contains("@grace"), "{}", last_answer(&browser));
    tab_to(&browser, "Kill a desk worker");
    browser.press(&key::ENTER.to_string());
    browser.await_text("Desk workers killed\n1\n");
    assert_eq!(browser.console(), [""; 0]);
}

fn what_changes_is_shown_until_it_is_paused(demo: &Demo) {
    let browser = at(demo, "/");
    let events = || browser.run("return document.querySelector('#events-list tbody').innerText");
    let await_others = |before: &Value| {
        let until = Instant::now() + PATIENCE;
        while events() == *before {
            assert!(Instant::now() < until, "no events come");
            thread::sleep(Duration::from_millis(50));
        }
    };
    await_others(&events());
    browser.click("//button[.='Pause']");
    let before = events();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(events(), before, "it is paused");
    browser.click("//button[.='Go on']");
    await_others(&before);
    for path in ["/", "/offers"] {
        browser.go(&format!("http://{}{path}", demo.address));
        // The script has made it, and hears of what changes.
        browser.await_text("Pause");
        thread::sleep(Duration::from_secs(2));
        let lost = browser.run("return document.documentElement.hasAttribute('data-lost')");
        assert_eq!(lost, false, "{path}: no events come");
        assert_eq!(browser.console(), [""; 0], "{path}");
    }
}

/// Text that stands out too little from what is behind it, by WCAG 2 (1.4.3): 4.5 to 1, or 3 to 1 if it is large. A colour
/// that lets something through is none that can be told, and counts as too little.
const TOO_FAINT: &str = r"
    const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
        const [red, green, blue] = parts(colour).map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ground = (element) => {
        for (let behind = element; behind; behind = behind.parentElement) {
            const colour = getComputedStyle(behind).backgroundColor;
            if (parts(colour)[3] !== 0) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const faint = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.textContent.trim() || !element.checkVisibility()) continue;
        const style = getComputedStyle(element), behind = ground(element);
        const [less, more] = [light(style.color), light(behind)].sort((a, b) => a - b);
        const size = parseFloat(style.fontSize), ratio = (more + 0.05) / (less + 0.05);
        const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
        const opaque = [style.color, behind].every((colour) => parts(colour).length === 3);
        if (!opaque || ratio < least) faint.push(`${texts.currentNode.textContent.trim()}: ${ratio}`);
    }
    return faint;";

fn it_can_be_read_in_any_light_and_on_a_phone(demo: &Demo) {
    let browser = at(demo, "/");
    let mut pictures: Vec<Vec<u8>> = Vec::new();
    for (name, path, (width, height), scheme) in [
        ("operator-light", "/", (1400, 2000), "light"),
        ("operator-dark", "/", (1400, 2000), "dark"),
        ("operator-narrow", "/", (390, 2400), "light"),
        ("operator-wall", "/", (2560, 1440), "dark"),
        ("offers-light", "/offers", (1400, 900), "light"),
        ("offers-dark", "/offers", (1400, 900), "dark"),
        ("offers-narrow", "/offers", (390, 900), "dark"),
    ] {
        browser.look(width, height, scheme);
        browser.go(&format!("http://{}{path}", demo.address));
        let faint = browser.run(TOO_FAINT);
        assert_eq!(faint, Value::Array(vec![]), "{name}");
        let most = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(most <= u64::from(width), "{name}: {most} pixels wide");
        let picture = browser.picture();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 10_000, "{name}: {} bytes", picture.len());
        fs::write(built::scratch().join(format!("page-{name}.png")), &picture).unwrap();
        pictures.push(picture);
    }
    assert_ne!(pictures[0], pictures[1], "light and dark");
    assert_eq!(browser.console(), [""; 0]);
}
