//! The keys of a terminal, one by one and without an echo, while somebody watches.
//!
//! Only line editing and echo are switched off: Ctrl-C and Ctrl-Z go on to be signals, and a line end goes on
//! to be one. A process in the background leaves the terminal alone (to touch it would stop the process), and
//! takes the keys when it comes to the foreground. Dropped, the terminal is as it was; a panic drops it too.

use std::io::{self, IsTerminal as _};

use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

/// The keys.
pub struct Keys {
    /// How the terminal was.
    before: Termios,
}

impl Keys {
    /// The keys, if stdin and stdout are a terminal.
    pub fn new() -> Option<Keys> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        Some(Keys { before: tcgetattr(stdin()).ok()? })
    }

    /// The keys that were pressed since the last call. Never waits.
    pub fn pressed(&self) -> Vec<u8> {
        if !is_foreground() || !take() {
            return Vec::new();
        }
        let mut keys = [0; 64];
        let read = rustix::io::read(stdin(), &mut keys).unwrap_or(0);
        keys[..read].to_vec()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if is_foreground() {
            // Whoever cannot have the terminal as it was cannot be helped.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
        }
    }
}

/// Whether the terminal is ours to change and to read.
fn is_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}

/// Makes sure that keys come one by one: a shell may have changed that while the process was stopped.
fn take() -> bool {
    let Ok(mut modes) = tcgetattr(stdin()) else { return false };
    let lines = LocalModes::ICANON | LocalModes::ECHO;
    if !modes.local_modes.intersects(lines) {
        return true;
    }
    modes.local_modes.remove(lines);
    // A read returns at once, with what there is.
    modes.special_codes[SpecialCodeIndex::VMIN] = 0;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(stdin(), OptionalActions::Now, &modes).is_ok()
}
