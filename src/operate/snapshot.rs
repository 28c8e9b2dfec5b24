//! The file that the state of the desk is moved in: JSON lines.
//!
//! ```text
//! {"hashbuy_export":1,"release":"0.1.0","app":"hashbuy","inbox":"inbox","changelog":"desk-changelog","partitions":8}
//! {"partition":0,"offset":4711,"desk_time":"2013-02-13T16:45:00.000Z","records":2}
//! {"key":"account/1234567","value":{"v":1,"entity":"account",...}}
//! {"key":"partition","value":{"v":1,"entity":"partition","offset":4711,...}}
//! {"partition":1,...}
//! ...
//! {"records":17,"sha256":"<of all bytes before this line>"}
//! ```
//!
//! Each partition has its records in the order of their keys, with the very text that stood in the changelog.
//! So one state makes one file. It holds card tokens: it is made for its owner's eyes alone. It gets its name
//! when it is whole, and who reads it checks the sum first.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::Unable;
use super::export::shown_key;
use crate::core::time::Time;

/// The version of the file's format.
const FORMAT: u32 = 1;

/// The first line: where the state is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub hashbuy_export: u32,
    /// The release that wrote it.
    pub release: String,
    /// The application.
    pub app: String,
    /// Its inbox.
    pub inbox: String,
    /// Its changelog.
    pub changelog: String,
    /// How many partitions both have.
    pub partitions: u32,
}

impl Header {
    /// A header of this release.
    pub fn new(app: &str, inbox: &str, changelog: &str, partitions: u32) -> Header {
        Header {
            hashbuy_export: FORMAT,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            app: app.to_owned(),
            inbox: inbox.to_owned(),
            changelog: changelog.to_owned(),
            partitions,
        }
    }
}

/// What comes before the records of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its number.
    pub partition: u32,
    /// Up to where its inbox was decided on; none if nothing was ever read.
    pub offset: Option<u64>,
    /// Its desk time.
    pub desk_time: Time,
    /// How many records follow.
    pub records: u64,
}

/// A record of the changelog.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its value, as it stood there.
    pub value: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct Trailer {
    records: u64,
    sha256: String,
}

/// Writes a snapshot.
pub struct Writer {
    path: PathBuf,
    unfinished: PathBuf,
    out: BufWriter<File>,
    sum: Sha256,
    records: u64,
}

impl Writer {
    /// Begins one. It stands under another name until it is whole.
    ///
    /// # Errors
    /// [`Unable::File`] if there is such a file already, or none can be made.
    pub fn new(path: &Path, header: &Header) -> Result<Writer, Unable> {
        if path.exists() {
            return Err(Unable::File(format!("{}: is there already: name another file", path.display())));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".unfinished");
        let unfinished = path.with_file_name(name);
        // What a run left that was ended in the middle.
        let _ = fs::remove_file(&unfinished);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
        let file = file.map_err(|error| cannot(&unfinished, "made", &error))?;
        let (out, sum) = (BufWriter::new(file), Sha256::new());
        let mut writer = Writer { path: path.to_owned(), unfinished, out, sum, records: 0 };
        writer.line(header)?;
        Ok(writer)
    }

    /// A partition with its records.
    ///
    /// # Errors
    /// [`Unable::File`].
    pub fn partition(&mut self, section: &Section, records: &BTreeMap<String, String>) -> Result<(), Unable> {
        self.line(section)?;
        for (key, value) in records {
            let value = RawValue::from_string(value.clone())
                .map_err(|error| Unable::Unsafe(format!("record {} is no JSON: {error}", shown_key(key))))?;
            self.line(&Entry { key: key.clone(), value })?;
        }
        self.records += section.records;
        Ok(())
    }

    /// Ends it and gives it its name. Returns how many records are in it.
    ///
    /// # Errors
    /// [`Unable::File`].
    pub fn finish(mut self) -> Result<u64, Unable> {
        let trailer = Trailer { records: self.records, sha256: hex(self.sum.clone()) };
        self.line(&trailer)?;
        let written = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        written.map_err(|error| cannot(&self.unfinished, "written", &error))?;
        fs::rename(&self.unfinished, &self.path).map_err(|error| cannot(&self.path, "made", &error))?;
        // The name is safe when the folder is.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| cannot(folder, "synced", &error))?;
        Ok(self.records)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Unable> {
        let mut line = serde_json::to_vec(value).map_err(|error| Unable::Unsafe(error.to_string()))?;
        line.push(b'\n');
        self.sum.update(&line);
        self.out.write_all(&line).map_err(|error| cannot(&self.unfinished, "written", &error))
    }
}

impl Drop for Writer {
    /// What was not finished is of no use, and holds card tokens.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// A part of a snapshot.
pub enum Part {
    /// A partition begins.
    Section(Section),
    /// One of its records.
    Entry(Entry),
}

/// Reads a snapshot from its beginning to its end and hands its parts to `each`. Only when this returns well
/// was the file whole: who acts on it reads it twice.
///
/// # Errors
/// [`Unable::File`] with the line, if it is no snapshot, not whole, or of a newer format; whatever `each` says.
pub fn read(
    path: &Path,
    mut each: impl FnMut(&Header, Part) -> Result<(), Unable>,
) -> Result<Header, Unable> {
    let mut lines = Lines::open(path)?;
    let header: Header = lines.json("a header")?;
    if header.hashbuy_export != FORMAT {
        return Err(lines.bad(&format!(
            "has format {}, and this release reads {FORMAT}: use the release {} that wrote it",
            header.hashbuy_export, header.release
        )));
    }
    let mut records = 0;
    for number in 0..header.partitions {
        let section: Section = lines.json("a partition")?;
        if section.partition != number {
            return Err(lines.bad(&format!("has partition {}, expected was {number}", section.partition)));
        }
        let count = section.records;
        records += count;
        each(&header, Part::Section(section))?;
        for _ in 0..count {
            each(&header, Part::Entry(lines.json("a record")?))?;
        }
    }
    let sum = hex(lines.sum.clone());
    let trailer: Trailer = lines.json("the last line")?;
    if trailer.sha256 != sum || trailer.records != records {
        return Err(lines.bad("has another sum than the file: it was changed or damaged; export again"));
    }
    if lines.next()? {
        return Err(lines.bad("comes after the last one"));
    }
    Ok(header)
}

struct Lines {
    path: PathBuf,
    file: BufReader<File>,
    number: u64,
    line: Vec<u8>,
    sum: Sha256,
}

impl Lines {
    fn open(path: &Path) -> Result<Lines, Unable> {
        let file = File::open(path).map_err(|error| cannot(path, "read", &error))?;
        let file = BufReader::new(file);
        Ok(Lines { path: path.to_owned(), file, number: 0, line: Vec::new(), sum: Sha256::new() })
    }

    /// Reads one line. False at the end.
    fn next(&mut self) -> Result<bool, Unable> {
        self.line.clear();
        let read = self.file.read_until(b'\n', &mut self.line);
        read.map_err(|error| cannot(&self.path, "read", &error))?;
        self.number += 1;
        self.sum.update(&self.line);
        Ok(!self.line.is_empty())
    }

    fn json<T: for<'de> Deserialize<'de>>(&mut self, what: &str) -> Result<T, Unable> {
        if !self.next()? {
            return Err(self.bad(&format!("is missing: {what} was expected; the file is not whole")));
        }
        serde_json::from_slice(&self.line).map_err(|error| self.bad(&format!("is not {what}: {error}")))
    }

    fn bad(&self, why: &str) -> Unable {
        Unable::File(format!("{}: line {} {why}", self.path.display(), self.number))
    }
}

fn cannot(path: &Path, done: &str, error: &std::io::Error) -> Unable {
    Unable::File(format!("{}: cannot be {done}: {error}", path.display()))
}

fn hex(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("hashbuy-snapshot-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn write(path: &Path) {
        let mut writer = Writer::new(path, &Header::new("app", "inbox", "changelog", 2)).unwrap();
        for partition in 0..2 {
            let records = BTreeMap::from([
                ("b".to_owned(), r#"{ "v":1 }"#.to_owned()),
                ("a".to_owned(), "7".to_owned()),
            ]);
            let section = Section { partition, offset: Some(3), desk_time: Time::ZERO, records: 2 };
            writer.partition(&section, &records).unwrap();
        }
        assert!(!path.exists(), "it has its name before it is whole");
        assert_eq!(writer.finish().unwrap(), 4);
    }

    fn entries(path: &Path) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let header = read(path, |_, part| {
            if let Part::Entry(Entry { key, value }) = part {
                found.push(format!("{key}={}", value.get()));
            }
            Ok(())
        });
        header.map_err(|error| error.to_string()).map(|_| found)
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = folder("good");
        let path = folder.join("state");
        write(&path);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let once = ["a=7", r#"b={ "v":1 }"#];
        assert_eq!(entries(&path).unwrap(), [once, once].concat());
        let again = Writer::new(&path, &Header::new("app", "inbox", "changelog", 2));
        assert!(again.is_err_and(|error| error.to_string().contains("is there already")));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_cut_off_or_changed_is_refused() {
        let folder = folder("bad");
        let path = folder.join("state");
        write(&path);
        let whole = fs::read_to_string(&path).unwrap();
        let bad = folder.join("bad");
        let lines: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
        for end in (0..whole.len()).filter(|end| lines.contains(end) || end % 37 == 0) {
            fs::write(&bad, &whole[..end]).unwrap();
            entries(&bad).unwrap_err();
        }
        for (from, to, said) in [
            ("a\",\"value\":7", "a\",\"value\":8", "line 8 has another sum"),
            ("\"hashbuy_export\":1", "\"hashbuy_export\":2", "line 1 has format 2"),
            ("\"partition\":1", "\"partition\":3", "line 5 has partition 3"),
        ] {
            fs::write(&bad, whole.replace(from, to)).unwrap();
            let error = entries(&bad).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        fs::write(&bad, whole + "{}\n").unwrap();
        assert!(entries(&bad).unwrap_err().contains("line 9 comes after the last one"));
        fs::remove_dir_all(folder).unwrap();
    }
}
