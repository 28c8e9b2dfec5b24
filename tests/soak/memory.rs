//! Samples of a run, as curves, and whether memory is flat.
//!
//! The desk has to remember each account that has shopped for two hours, so in half an hour memory grows with the
//! shoppers, and with nothing else. Flat is, for each of the two processes:
//!
//! - **while people shop**: a process that is killed every minute shows no leak, so each is spared for one half of the
//!   run; nothing ends it, although it stands still now and then, and takes over what the other one leaves. From the
//!   middle to the end of that life it grows by no more than [`REMEMBERED`] for each shopper who has come meanwhile, and
//!   [`SLACK`] for what an allocator does;
//! - **when nobody comes any more**, and the firehose goes on at its rate for two minutes and a half or more, with
//!   nothing new to remember: by no more than [`STILL`]. Millions of tweets pass meanwhile, so a byte that is lost with
//!   each is seen.
//!
//! Compared are medians of a tenth of the time.

/// What a shopper may take in a process's memory, in bytes: his account, his tweets, his purchase, the timers of all.
const REMEMBERED: u64 = 2 << 10;
/// The least that a process may grow by while people shop, in bytes.
const SLACK: u64 = 8 << 20;
/// What a process may grow by when nobody comes any more, in bytes.
const STILL: u64 = 2 << 20;
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
    /// Shoppers who have come.
    pub shoppers: u64,
}

/// All samples.
#[derive(Debug, Default)]
pub struct Curve(pub Vec<Sample>);

/// What a process came to in a time in which it was spared.
#[derive(Debug)]
pub struct Life {
    /// How long that was, in seconds.
    pub seconds: f64,
    /// Bytes before and at the end.
    pub before: u64,
    pub end: u64,
    /// What it may have grown by.
    pub may: u64,
}

impl Life {
    /// Whether it is flat.
    pub fn is_flat(&self) -> bool {
        self.end <= self.before + self.may
    }
}

impl Curve {
    /// The newest life of a process until the end of the half in which it is spared, from its middle on.
    pub fn shopping(&self, process: usize, until: f64) -> Option<Life> {
        let (begin, end) = self.newest_life(process, until)?;
        let (before, then) = self.tenth(process, begin, end, 0.5)?;
        let (after, now) = self.tenth(process, begin, end, 1.0)?;
        let may = SLACK + REMEMBERED * now.saturating_sub(then);
        Some(Life { seconds: end - begin, before, end: after, may })
    }

    /// A process after nobody has come any more: from the first third on, when what was under way is over.
    pub fn closing(&self, process: usize, from: f64) -> Option<Life> {
        let last = self.0.last()?.at;
        let (begin, end) = self.newest_life(process, last)?;
        let begin = begin.max(from);
        let (before, _) = self.tenth(process, begin, end, 0.4)?;
        let (after, _) = self.tenth(process, begin, end, 1.0)?;
        Some(Life { seconds: end - begin, before, end: after, may: STILL })
    }

    /// From when to when a process has lived that was there last at a moment.
    fn newest_life(&self, process: usize, until: f64) -> Option<(f64, f64)> {
        let there = |sample: &&Sample| sample.at <= until && sample.memory[process].is_some();
        let end = self.0.iter().rfind(there)?;
        let life = end.memory[process]?.0;
        let is_it = |sample: &&Sample| sample.memory[process].is_some_and(|(other, _)| other == life);
        Some((self.0.iter().find(is_it)?.at, end.at))
    }

    /// The median memory of the tenth of a time that ends at a part of it, and how many shoppers had come by then.
    fn tenth(&self, process: usize, begin: f64, end: f64, part: f64) -> Option<(u64, u64)> {
        let (low, high) = (begin + (end - begin) * (part - 0.1), begin + (end - begin) * part);
        let within: Vec<&Sample> = self.0.iter().filter(|one| (low..=high).contains(&one.at)).collect();
        let bytes = median(within.iter().filter_map(|one| Some(one.memory[process]?.1)).collect())?;
        Some((bytes, within.last()?.shoppers))
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
