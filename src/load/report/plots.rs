//! Plots as SVG, with a palette that the page's style gives its dark twin.
//!
//! The text of a plot is as high as that of the page on a phone, where a plot is about 360 pixels wide.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;

use super::axes::{Axis, Frame};
use super::html::escaped;
use super::numbers::short;
use super::rows::Sheet;

/// Width and height of a plot, in units of its own.
const SIZE: (u32, u32) = (500, 300);
/// Text is so high; the font's own measure makes 15 of it.
const TEXT: f64 = 18.6;
/// Of the lines and points, in turn. The style sheet names each of them again.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x0B, 0x5C, 0xAD),
    RGBColor(0xB3, 0x47, 0x00),
    RGBColor(0x1B, 0x7A, 0x3D),
    RGBColor(0x7A, 0x3F, 0xA8),
    RGBColor(0xB0, 0x24, 0x6A),
    RGBColor(0x00, 0x70, 0x7A),
];
/// Of the lines that a goal has, in turn.
const GUIDES: [RGBColor; 2] = [RGBColor(0x2A, 0x2F, 0x38), RGBColor(0x2B, 0x30, 0x39)];
const INK: RGBColor = RGBColor(0x45, 0x4D, 0x5A);
const GRID: RGBColor = RGBColor(0xDD, 0xE1, 0xE6);
const AXES: RGBColor = RGBColor(0x7A, 0x82, 0x8E);

/// Lines and points between two axes.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What it shows, with the unit of what it shows.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// What is drawn.
    pub series: Vec<Series>,
    /// Lines from left to right, with what they mean.
    pub guides: Vec<(String, f64)>,
}

/// What is drawn in one colour.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// Whether a line joins the points, or each is marked.
    pub drawn: Drawn,
    /// By x.
    pub points: Vec<(f64, f64)>,
}

/// How points are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// A line through them.
    Line,
    /// Each one marked.
    Points,
    /// Both.
    Both,
}

type Failed = Box<dyn std::error::Error>;

impl Plot {
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.seen().next().is_none())
    }

    /// The plot as an SVG element; a sentence if it cannot be drawn.
    pub fn svg(&self) -> String {
        let mut drawn = String::new();
        let done = self.draw(&mut drawn);
        // The root as it comes has a fixed size and no name.
        let inside = drawn.split_once('>').map(|(_, inside)| inside);
        match (done, inside) {
            (Ok(()), Some(inside)) => {
                let ((width, height), title) = (SIZE, escaped(&self.title));
                let label = escaped(&self.spoken());
                format!(
                    "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\
                     <title>{title}</title>\n\
                     {inside}"
                )
            }
            (Err(error), _) => {
                format!("<p>This plot could not be drawn: {}.</p>\n", escaped(&error.to_string()))
            }
            (Ok(()), None) => "<p>This plot could not be drawn.</p>\n".to_owned(),
        }
    }

    /// What the lines are, as a list.
    pub fn legend(&self) -> String {
        let line = |colour: &RGBColor| {
            format!(
                "<line x1=\"0\" y1=\"5\" x2=\"28\" y2=\"5\" stroke=\"{0}\" stroke-width=\"2\"/>",
                hex(colour)
            )
        };
        let dot =
            |colour: &RGBColor| format!("<circle cx=\"14\" cy=\"5\" r=\"4\" fill=\"{}\"/>", hex(colour));
        let series = self.series.iter().zip(COLOURS.iter().cycle()).map(|(series, colour)| {
            let key = match series.drawn {
                Drawn::Line => line(colour),
                Drawn::Points => dot(colour),
                Drawn::Both => line(colour) + &dot(colour),
            };
            (key, &series.name)
        });
        let guides =
            self.guides.iter().zip(GUIDES.iter().cycle()).map(|((name, _), colour)| (line(colour), name));
        let item = |(key, name): (String, &String)| {
            format!(
                "<li><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\">{key}</svg> {}</li>\n",
                escaped(name)
            )
        };
        format!("<ul class=\"legend\">\n{}</ul>\n", series.chain(guides).map(item).collect::<String>())
    }

    /// The numbers that are drawn: a row for each x, several numbers of one x in one cell.
    pub fn sheet(&self) -> Sheet {
        let mut header = vec![self.x.name.as_str()];
        header.extend(self.series.iter().map(|series| series.name.as_str()));
        let mut sheet = Sheet::new(self.title.as_str(), 1, &header);
        let mut places: Vec<f64> = self.series.iter().flat_map(Series::seen).map(|(x, _)| x).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        for at in places {
            let cell = |series: &Series| {
                let here = series.seen().filter(|(x, _)| *x == at);
                here.map(|(_, y)| self.y.scale.label(y)).collect::<Vec<_>>().join("  ")
            };
            let mut row = vec![self.x.scale.label(at)];
            row.extend(self.series.iter().map(cell));
            sheet.rows.push(row);
        }
        sheet
    }

    /// What a screen reader says.
    fn spoken(&self) -> String {
        let range = |series: &Series| {
            let ys: Vec<f64> = series.seen().map(|(_, y)| y).collect();
            let least = ys.iter().copied().min_by(f64::total_cmp)?;
            let greatest = ys.iter().copied().max_by(f64::total_cmp)?;
            Some(format!(" {}: {} to {}.", series.name, short(least), short(greatest)))
        };
        let ranges: String = self.series.iter().filter_map(range).collect();
        format!("{}, by {}.{ranges}", self.title, self.x.name)
    }

    fn frames(&self) -> (Frame, Frame) {
        let points = || self.series.iter().flat_map(Series::seen);
        let guides = self.guides.iter().map(|(_, y)| *y);
        (
            self.x.scale.frame(points().map(|(x, _)| x)),
            self.y.scale.frame(points().map(|(_, y)| y).chain(guides)),
        )
    }

    fn draw(&self, svg: &mut String) -> Result<(), Failed> {
        let (x, y) = self.frames();
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin_top(12)
            .margin_right(30)
            .x_label_area_size(50)
            .y_label_area_size(62)
            .build_cartesian_2d(coordinate(&x), coordinate(&y))?;
        let named = |frame: &Frame, place: f64| {
            let mark = frame.marks.iter().find(|(at, _)| *at == place);
            mark.map(|(_, label)| label.clone()).unwrap_or_default()
        };
        let text = ("sans-serif", TEXT).into_font().color(&INK);
        chart
            .configure_mesh()
            .set_all_tick_mark_size(4)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(AXES)
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(self.x.name.as_str())
            .x_label_formatter(&|place: &f64| named(&x, *place))
            .y_label_formatter(&|place: &f64| named(&y, *place))
            .draw()?;
        for ((_, value), colour) in self.guides.iter().zip(GUIDES.iter().cycle()) {
            let at = self.y.scale.place(*value);
            chart.draw_series(LineSeries::new([(x.from, at), (x.to, at)], colour.stroke_width(2)))?;
        }
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let place = |(x, y)| (self.x.scale.place(x), self.y.scale.place(y));
            let points: Vec<(f64, f64)> = series.seen().map(place).collect();
            if series.drawn != Drawn::Points {
                chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
            }
            if series.drawn != Drawn::Line || points.len() == 1 {
                chart.draw_series(points.into_iter().map(|point| Circle::new(point, 4, colour.filled())))?;
            }
        }
        area.present()?;
        Ok(())
    }
}

impl Series {
    /// The points that can be drawn.
    fn seen(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
    }
}

fn coordinate(frame: &Frame) -> Marked {
    Marked { range: frame.from..frame.to, marks: frame.marks.iter().map(|(place, _)| *place).collect() }
}

/// A range of an axis with the marks that are wanted, and no others. plotters' own range with key points cannot
/// be labelled.
struct Marked {
    range: Range<f64>,
    marks: Vec<f64>,
}

impl Ranged for Marked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let part = (value - self.range.start) / (self.range.end - self.range.start);
        limit.0 + (part * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// `#0B5CAD`.
fn hex(RGBColor(red, green, blue): &RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}
