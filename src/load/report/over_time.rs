//! How a process went, from samples of what it had done by then.

use super::Sample;

/// At most about so many points for a line.
const POINTS: f64 = 60.0;

/// A line: seconds, and what was measured.
pub type Line = Vec<(f64, f64)>;

/// A figure of a sample that only grows.
pub type Total = fn(&Sample) -> f64;

/// Tweets by then.
pub const TWEETS: Total = |sample| sample.tweets as f64;
/// Processor seconds by then.
pub const PROCESSOR: Total = |sample| sample.cpu_seconds;

/// How long a step is, in seconds, so that some lines can stand in one table: no shorter than between samples.
pub fn step<'a>(all: impl Iterator<Item = &'a [Sample]>) -> f64 {
    let mut least = 0f64;
    for samples in all {
        let long = end(samples);
        let between = long / (samples.len().max(2) - 1) as f64;
        least = least.max(between * 0.999).max(long / POINTS);
    }
    nice(least)
}

/// By how much a figure grew in a second, for each step, at the step's end.
pub fn rates(samples: &[Sample], step: f64, total: Total) -> Line {
    let steps = times(samples, step);
    let grown = |from: &f64, to: &f64| (at(samples, *to, total) - at(samples, *from, total)) / (to - from);
    steps.iter().zip(steps.iter().skip(1)).map(|(from, to)| (*to, grown(from, to).max(0.0))).collect()
}

/// Memory in MB, at each step.
pub fn memory(samples: &[Sample], step: f64) -> Line {
    let megabytes: Total = |sample| sample.memory_bytes as f64 / 1e6;
    times(samples, step).into_iter().map(|seconds| (seconds, at(samples, seconds, megabytes))).collect()
}

/// The next of 1, 2, 5, 10 and so on that is no less; 1 for what is no size.
pub fn nice(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let decade = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0].into_iter().map(|step| step * decade);
    steps.into_iter().find(|step| *step >= least * 0.999_999).unwrap_or(10.0 * decade)
}

/// The steps that lie within the samples.
fn times(samples: &[Sample], step: f64) -> Vec<f64> {
    if samples.len() < 2 {
        return Vec::new();
    }
    let count = (end(samples) / step + 0.01).floor();
    // As many as are shown, whatever the samples say.
    (0..=count.clamp(0.0, 10.0 * POINTS) as u32).map(|i| f64::from(i) * step).collect()
}

fn end(samples: &[Sample]) -> f64 {
    samples.last().map_or(0.0, |last| last.seconds)
}

/// A figure at a time, between the two samples around it.
fn at(samples: &[Sample], seconds: f64, figure: Total) -> f64 {
    let after = samples.partition_point(|sample| sample.seconds < seconds);
    match (after.checked_sub(1).and_then(|i| samples.get(i)), samples.get(after)) {
        (Some(before), Some(after)) => {
            let part = (seconds - before.seconds) / (after.seconds - before.seconds);
            figure(before) + (figure(after) - figure(before)) * part
        }
        (Some(one), None) | (None, Some(one)) => figure(one),
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Sample> {
        let sample = |i: u32| Sample {
            seconds: f64::from(i) / 2.0,
            tweets: u64::from(i) * 500,
            cpu_seconds: f64::from(i) / 4.0,
            memory_bytes: 50_000_000,
        };
        (0..=6).map(sample).collect()
    }

    #[test]
    fn a_steady_pass_is_a_level_line() {
        let samples = samples();
        let step = step([samples.as_slice()].into_iter());
        assert_eq!(step, 0.5);
        let rates = rates(&samples, step, TWEETS);
        assert_eq!(rates.len(), 6);
        assert!(rates.iter().all(|(_, rate)| (rate - 1_000.0).abs() < 1e-6), "{rates:?}");
        assert_eq!(memory(&samples, 1.0), [(0.0, 50.0), (1.0, 50.0), (2.0, 50.0), (3.0, 50.0)]);
    }

    #[test]
    fn without_samples_there_is_no_line() {
        assert_eq!(step(std::iter::empty()), 1.0);
        assert_eq!(rates(&[], 1.0, TWEETS), []);
        assert_eq!(rates(&[Sample::default(); 2], 1.0, PROCESSOR), []);
    }

    #[test]
    fn nice_steps() {
        for (least, step) in [(0.03, 0.05), (1.0, 1.0), (1.1, 2.0), (7.0, 10.0), (0.0, 1.0), (f64::NAN, 1.0)]
        {
            assert!((nice(least) - step).abs() < 1e-12, "{least}");
        }
    }
}
