//! The axes of a plot: where a value stands on one, and which marks it has.

use super::numbers::{fixed, short};
use super::over_time::nice;

/// About so many marks.
const MARKS: f64 = 5.0;
/// What is no more than this stands at the lower end of a logarithmic axis.
const LEAST: f64 = 0.001;

/// One direction of a plot.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What it shows, with the unit.
    pub name: String,
    /// How.
    pub scale: Scale,
}

/// How values lie on an axis.
#[derive(Debug, Clone)]
pub enum Scale {
    /// Evenly, from 0.
    FromZero,
    /// Evenly, only as much as there is.
    Part,
    /// By their logarithm.
    Logarithm,
    /// Percentiles by 1 / (1 - p), by the logarithm of that. The greatest of so many is at the end.
    Percentile(u64),
    /// Names, for the values 0, 1, 2 and so on.
    Names(Vec<String>),
}

/// What of an axis is seen, all of it in places along the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The lower end.
    pub from: f64,
    /// The upper end.
    pub to: f64,
    /// Places and their labels.
    pub marks: Vec<(f64, String)>,
}

impl Scale {
    /// Where a value stands.
    pub fn place(&self, value: f64) -> f64 {
        match self {
            Scale::Logarithm => value.max(LEAST).log10(),
            Scale::Percentile(count) if value >= 100.0 => percentile_end(*count),
            Scale::Percentile(count) => (-(1.0 - value.max(0.0) / 100.0).log10()).min(percentile_end(*count)),
            _ => value,
        }
    }

    /// A value, as it is called in a table.
    pub fn label(&self, value: f64) -> String {
        match self {
            Scale::Names(names) => names.get(value as usize).cloned().unwrap_or_default(),
            Scale::Percentile(_) if value >= 100.0 => "greatest".to_owned(),
            Scale::Percentile(_) => percent(value),
            _ if value.abs() >= 1_000.0 => fixed(value, 0),
            _ if value.abs() >= 10.0 => fixed(value, 1),
            _ => fixed(value, 3),
        }
    }

    /// The part of the axis on which all of the values stand.
    pub fn frame(&self, values: impl Iterator<Item = f64>) -> Frame {
        let places = values.map(|value| self.place(value)).filter(|place| place.is_finite());
        let (least, greatest) =
            places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), place| (a.min(place), b.max(place)));
        let (least, greatest) = if least > greatest { (0.0, 1.0) } else { (least, greatest) };
        match self {
            // A line is not drawn along the edge.
            Scale::FromZero => even(least.min(0.0), greatest * 1.03),
            Scale::Part => even(least, greatest),
            Scale::Logarithm => decades(least, greatest),
            Scale::Percentile(count) => percentiles(percentile_end(*count)),
            Scale::Names(names) => named(names),
        }
    }
}

/// Marks at multiples of 1, 2 or 5 times a power of ten; the ends are such, too.
fn even(least: f64, greatest: f64) -> Frame {
    let greatest =
        if greatest - least > least.abs() * 1e-6 { greatest } else { least + least.abs().max(1.0) * 0.1 };
    let step = nice((greatest - least) / MARKS);
    let (first, last) = ((least / step + 1e-6).floor(), (greatest / step - 1e-6).ceil());
    let count = (last - first).clamp(1.0, 20.0) as u32;
    let marks =
        (0..=count).map(|i| (first + f64::from(i)) * step).map(|place| (place, short(place))).collect();
    Frame { from: first * step, to: (first + f64::from(count)) * step, marks }
}

/// Marks at 1, 2, 5, 10 and so on; at powers of ten only, where there are many.
fn decades(least: f64, greatest: f64) -> Frame {
    let all = |digits: &[f64]| -> Vec<f64> {
        let decade = |exponent: i32| digits.iter().map(move |digit| digit.log10() + f64::from(exponent));
        ((least.floor() as i32 - 1)..=(greatest.ceil() as i32 + 1)).flat_map(decade).collect()
    };
    let fine = all(&[1.0, 2.0, 5.0]);
    let places = if greatest - least > 3.0 { all(&[1.0]) } else { fine };
    let from = places.iter().copied().rfind(|place| *place <= least + 1e-9).unwrap_or(least);
    let to = places.iter().copied().find(|place| *place >= greatest - 1e-9 && *place > from);
    let to = to.unwrap_or(greatest + 1.0);
    let seen = places.into_iter().filter(|place| (from..=to).contains(place));
    Frame { from, to, marks: seen.map(|place| (place, short(10f64.powf(place)))).collect() }
}

/// Marks at 50 %, 90 %, 99 %, 99.9 % and so on.
fn percentiles(end: f64) -> Frame {
    let every = if end > 5.0 { 2 } else { 1 };
    let nines = (1..=end as u32).filter(|nines| *nines == 1 || nines.is_multiple_of(every));
    let mut marks: Vec<(f64, String)> =
        nines.map(|nines| (f64::from(nines), percent(100.0 - 100.0 * 0.1f64.powi(nines as i32)))).collect();
    marks.insert(0, (2f64.log10(), percent(50.0)));
    Frame { from: 0.0, to: end, marks }
}

/// A mark for each name, or for every second, fifth and so on of many.
fn named(names: &[String]) -> Frame {
    let every = nice(names.len() as f64 / 12.0).max(1.0) as usize;
    let marks = names.iter().enumerate().step_by(every).map(|(i, name)| (i as f64, name.clone()));
    Frame { from: -0.5, to: names.len().max(1) as f64 - 0.5, marks: marks.collect() }
}

/// Where the greatest of so many values stands.
fn percentile_end(count: u64) -> f64 {
    (count as f64).max(100.0).log10()
}

/// `99.9 %`.
fn percent(value: f64) -> String {
    let text = format!("{value:.6}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(frame: &Frame) -> Vec<&str> {
        frame.marks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn even_marks() {
        let frame = Scale::Part.frame([0.83, 0.91].into_iter());
        assert_eq!(labels(&frame), ["0.82", "0.84", "0.86", "0.88", "0.9", "0.92"]);
        let frame = Scale::FromZero.frame([300_000.0, 1_340_000.0].into_iter());
        assert_eq!(labels(&frame), ["0", "500 k", "1 M", "1.5 M"]);
    }

    #[test]
    fn logarithmic_marks() {
        let frame = Scale::Logarithm.frame([7.0, 250.0].into_iter());
        assert_eq!(labels(&frame), ["5", "10", "20", "50", "100", "200", "500"]);
        let frame = Scale::Logarithm.frame([0.4, 9_000.0].into_iter());
        assert_eq!(labels(&frame), ["0.1", "1", "10", "100", "1,000", "10 k"]);
    }

    #[test]
    fn percentiles_by_their_distance_from_all() {
        let scale = Scale::Percentile(20_000);
        let frame = scale.frame(std::iter::empty());
        assert_eq!(labels(&frame), ["50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
        assert!((scale.place(99.0) - 2.0).abs() < 1e-9);
        assert_eq!(scale.place(100.0), frame.to);
    }

    #[test]
    fn there_is_a_frame_around_nothing_and_around_one() {
        for scale in
            [Scale::FromZero, Scale::Part, Scale::Logarithm, Scale::Percentile(0), Scale::Names(vec![])]
        {
            for values in [vec![], vec![0.0], vec![5.0; 2], vec![f64::NAN], vec![f64::INFINITY]] {
                let frame = scale.frame(values.iter().copied());
                assert!(frame.from < frame.to && frame.to.is_finite(), "{scale:?} {values:?}: {frame:?}");
            }
        }
    }
}
