//! A browser that does what a person does: Chromium, driven by WebDriver (Debian's chromium and chromium-driver).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::demo::PATIENCE;
use crate::http;

const DRIVER: &str = "chromedriver";
/// How an element is named in JSON (WebDriver, 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that have no letter (WebDriver, 17.4.2).
pub mod key {
    pub const TAB: char = '\u{e004}';
    pub const ENTER: char = '\u{e007}';
    pub const DOWN: char = '\u{e015}';
}

/// What a browser is missing for, if it is.
pub fn missing() -> Option<&'static str> {
    let is_there = |program: &str| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    (!is_there("chromium") || !is_there(DRIVER)).then_some("no chromium and chromedriver here")
}

/// A browser with one window, ended when this goes.
pub struct Browser {
    driver: Child,
    address: String,
    session: String,
}

impl Browser {
    pub fn start() -> Browser {
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once("started successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        let address = format!("127.0.0.1:{}", port.unwrap());
        thread::spawn(move || lines.for_each(drop));
        let mut browser = Browser { driver, address, session: String::new() };
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = browser.post("", wanted);
        browser.session = format!("/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    /// A window of this size, in pixels, for somebody who likes it light or dark.
    pub fn look(&self, width: u32, height: u32, scheme: &str) {
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 }),
        );
        let likes = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.tell("Emulation.setEmulatedMedia", json!({ "features": [likes] }));
    }

    pub fn go(&self, address: &str) {
        self.post("/url", json!({ "url": address }));
    }

    /// Presses keys where the focus is.
    pub fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        self.post("/actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] }));
    }

    /// Clicks on the first element that the path (XPath) leads to.
    pub fn click(&self, path: &str) {
        let found = self.post("/element", json!({ "using": "xpath", "value": path }));
        let element = found[ELEMENT].as_str().unwrap();
        self.post(&format!("/element/{element}/click"), json!({}));
    }

    /// What a function's body returns in the page.
    pub fn run(&self, body: &str) -> Value {
        self.post("/execute/sync", json!({ "script": body, "args": [] }))
    }

    /// The text of the page as it is seen.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap().to_owned()
    }

    /// Waits until something can be read on the page.
    pub fn await_text(&self, wanted: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.text().contains(wanted) {
            assert!(Instant::now() < until, "{wanted:?} does not come:\n{}", self.text());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A picture of the window, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.call("GET", "/screenshot", &json!({}));
        BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    /// What was said on the browser's console since this was asked last.
    pub fn console(&self) -> Vec<String> {
        let said = self.post("/se/log", json!({ "type": "browser" }));
        said.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Tells the browser's tools for developers.
    fn tell(&self, command: &str, params: Value) {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": params }));
    }

    fn post(&self, path: &str, body: Value) -> Value {
        self.call("POST", path, &body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (address, session, body) = (&self.address, &self.session, body.to_string());
        let body = if method == "GET" { "" } else { &body };
        let length = body.len();
        let answer = http::send(
            address,
            &format!(
                "{method} /session{session}{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            ),
        );
        assert_eq!(answer.status, 200, "{method} {path} {body}: {}", answer.body);
        let mut answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session. Of no use if it has ended already.
        if let Ok(mut stream) = TcpStream::connect(&self.address) {
            let (session, address) = (&self.session, &self.address);
            let _ = write!(stream, "DELETE /session{session} HTTP/1.1\r\nHost: {address}\r\n\r\n");
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.read(&mut [0; 1_024]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
