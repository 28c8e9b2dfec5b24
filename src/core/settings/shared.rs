//! One value of the settings that many hold, written as JSON once.
//!
//! Each transaction writes the settings of each partition that it touches, and each mark carries them: some
//! 3 KB that hardly ever change.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::{RawValue, to_raw_value};

use super::Settings;

/// Settings that many hold. Written, they are the JSON of [`Settings`].
#[derive(Clone, Debug)]
pub struct Shared(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    settings: Settings,
    written: OnceLock<Box<RawValue>>,
}

impl From<Settings> for Shared {
    fn from(settings: Settings) -> Shared {
        Shared(Arc::new(Kept { settings, written: OnceLock::new() }))
    }
}

impl Deref for Shared {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0.settings
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Shared) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for Shared {}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(written) = self.0.written.get() {
            return written.serialize(serializer);
        }
        let written = to_raw_value(&self.0.settings).map_err(ser::Error::custom)?;
        self.0.written.get_or_init(|| written).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shared, D::Error> {
        Settings::deserialize(deserializer).map(Shared::from)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn written_they_are_the_json_of_the_settings_each_time() {
        let settings = Settings { revision: 7, ..Settings::default() };
        let shared = Shared::from(settings.clone());
        let plain = serde_json::to_string(&settings).unwrap();
        for held in [&shared, &shared.clone()] {
            assert_eq!(serde_json::to_string(held).unwrap(), plain);
        }
        assert_eq!(serde_json::from_str::<Shared>(&plain).unwrap(), shared);
        assert_ne!(Shared::from(Settings::default()), shared);
    }
}
