//! Samples of a run, as curves, and whether memory is flat.
//!
//! A process that is killed every minute shows no leak. So each of the two is spared for one half of the run: nothing
//! ends it, although it stands still now and then, and takes over what the other one leaves. What it grew by from the
//! middle to the end of that life, in medians of a tenth of it, is held against what it may:
//!
//! - what the desk has to remember: each decided tweet of an account for two hours, with what hangs on it, and each
//!   account that has done something;
//! - and a tenth, or 16 MB, for what an allocator does.
//!
//! In the half of a run of half an hour, 18 million tweets pass: a leak of 4 bytes a tweet is seen.

/// What a decided tweet may take in the desk's memory and its changelog's, in bytes.
const REMEMBERED: u64 = 512;
/// The least that a process may grow by, in bytes.
const SLACK: u64 = 16 << 20;
const MEGA: f64 = 1_048_576.0;

/// How it was at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Seconds since the beginning.
    pub at: f64,
    /// Of each process: which life of it, and its resident memory in bytes.
    pub memory: [Option<(u32, u64)>; 2],
    /// Records that the scan is behind.
    pub lag: i64,
    /// Purchases that wait.
    pub pendings: usize,
    /// Decided tweets that are remembered.
    pub markers: usize,
}

/// All samples.
#[derive(Debug, Default)]
pub struct Curve(pub Vec<Sample>);

/// What a process came to in the half in which it was spared.
#[derive(Debug)]
pub struct Life {
    pub name: &'static str,
    /// How long it lived, in seconds.
    pub seconds: f64,
    /// Bytes in the middle and at the end.
    pub middle: u64,
    pub end: u64,
    /// What it may have grown by.
    pub may: u64,
}

impl Life {
    /// Whether it is flat.
    pub fn is_flat(&self) -> bool {
        self.end <= self.middle + self.may
    }
}

impl Curve {
    /// The life of a process that was not ended from one moment to another.
    pub fn life(&self, process: usize, from: f64, until: f64) -> Option<Life> {
        let within = |sample: &&Sample| (from..=until).contains(&sample.at);
        let last = self.0.iter().filter(within).filter_map(|sample| sample.memory[process]).next_back()?.0;
        let is_it = |sample: &&Sample| sample.memory[process].is_some_and(|(life, _)| life == last);
        let life: Vec<&Sample> = self.0.iter().filter(is_it).filter(|sample| sample.at <= until).collect();
        let (begin, seconds) = (life.first()?.at, life.last()?.at - life.first()?.at);
        let at = |part: f64| {
            let (low, high) = (begin + seconds * (part - 0.1), begin + seconds * part);
            let within: Vec<&&Sample> = life.iter().filter(|one| (low..=high).contains(&one.at)).collect();
            let bytes = median(within.iter().filter_map(|one| Some(one.memory[process]?.1)).collect())?;
            Some((bytes, within.last()?.markers))
        };
        let ((middle, before), (end, after)) = (at(0.5)?, at(1.0)?);
        let remembered = after.saturating_sub(before) as u64 * REMEMBERED;
        let may = remembered + SLACK.max(middle / 10);
        Some(Life { name: ["a", "b"][process], seconds, middle, end, may })
    }

    /// The median of a process's memory around a part of the whole run.
    pub fn around(&self, process: usize, part: f64) -> Option<u64> {
        let length = self.0.last()?.at;
        let (low, high) = (length * (part - 0.05), length * (part + 0.05));
        let near = self.0.iter().filter(|sample| (low..=high).contains(&sample.at));
        median(near.filter_map(|sample| Some(sample.memory[process]?.1)).collect())
    }

    /// Lines with the course of everything.
    pub fn draw(&self) -> String {
        let memory = |n: usize| move |one: &Sample| one.memory[n].map(|(_, bytes)| bytes as f64 / MEGA);
        let lines = [
            self.line("memory of a", "MB", &memory(0)),
            self.line("memory of b", "MB", &memory(1)),
            self.line("lag of scan", "records", &|one| Some(one.lag as f64)),
            self.line("pendings", "", &|one| Some(one.pendings as f64)),
        ];
        lines.concat()
    }

    /// The greatest value in each of so many pieces of time, as bars; blank where there is none.
    fn line(&self, name: &str, unit: &str, value: &dyn Fn(&Sample) -> Option<f64>) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const WIDE: usize = 72;
        let Some(length) = self.0.last().map(|last| last.at) else { return String::new() };
        let mut pieces: Vec<Option<f64>> = vec![None; WIDE];
        for sample in &self.0 {
            let piece = &mut pieces[((sample.at / length * WIDE as f64) as usize).min(WIDE - 1)];
            *piece = value(sample).map(|value| piece.unwrap_or(0.0).max(value)).or(*piece);
        }
        let most = pieces.iter().flatten().fold(0.0, |most: f64, value| most.max(*value));
        let bar = |value: &Option<f64>| {
            let height = |value: &f64| BARS[((value / most * 8.0) as usize).min(7)];
            value.as_ref().map_or(' ', height)
        };
        let bars: String = pieces.iter().map(bar).collect();
        format!("{name:<12} {bars} up to {most:.0} {unit}\n")
    }
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
