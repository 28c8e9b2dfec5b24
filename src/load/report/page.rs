//! A report as one page of HTML, without scripts and without anything from elsewhere.

use super::figures;
use super::html::{escaped, table};
use super::numbers::{NONE, duration, fixed, high, low, plural, ratio};
use super::plots::Plot;
use super::rows::{self, Sheet};
use super::{Goal, Report, Verdict};

const STYLE: &str = include_str!("page.css");

/// All of it.
pub fn html(report: &Report) -> String {
    let began = escaped(&report.began_at);
    let sections: String = [
        goals(&report.goals()),
        throughput(report),
        growth(report),
        section("Latency", &figures::latency(report), &[rows::latency(report)]),
        section("Processors and memory", &figures::resources(report), &[rows::service(report)]),
        section("The parts alone", &[], &[rows::desk(report), rows::parts(report)]),
        books(report),
        around(report),
    ]
    .concat();
    let sections = if sections.is_empty() { "<p>Nothing was measured.</p>\n".to_owned() } else { sections };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>hashbuy under load {began}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>hashbuy under load</h1>\n<p>{}</p>\n{}</header>\n\
         <main>\n{sections}</main>\n</body>\n</html>\n",
        when(report),
        tiles(report)
    )
}

fn when(report: &Report) -> String {
    let took = duration(report.seconds);
    match report.began_at.is_empty() {
        true => format!("Took {took}"),
        false => format!("Began at {}, took {took}", escaped(&report.began_at)),
    }
}

/// What is read from the other end of a room.
fn tiles(report: &Report) -> String {
    let mut tiles = Vec::new();
    let goals = report.goals();
    if !goals.is_empty() {
        let met = goals.iter().filter(|goal| goal.met()).count();
        let judged = goals.iter().filter(|goal| goal.verdict != Verdict::NotMeasured).count();
        let what = match goals.len() - judged {
            0 => "goals met".to_owned(),
            others => format!("goals met; {others} not measured"),
        };
        tiles.push((format!("{met} of {judged}"), what));
    }
    if let Some(main) = report.throughput.first() {
        let rounds = plural(main.rounds.len() as u64, "round", "rounds");
        let per_second = main.middle(|round| round.scan.per_second()).unwrap_or(f64::NAN);
        tiles.push((
            main.ratio().map_or(NONE.to_owned(), ratio),
            format!("scan / baseline, middle of {rounds}"),
        ));
        tiles.push((low(per_second, 0), "tweets scanned in a second".to_owned()));
    }
    if let Some(entry) = report.nearest_rate() {
        let p99 =
            entry.requested.at(99.0).map_or(NONE.to_owned(), |millis| format!("{} ms", high(millis, 0)));
        tiles.push((p99, format!("tweet to requested, p99, at {} tweets/s", fixed(entry.rate, 0))));
    }
    if let Some(books) = &report.books {
        tiles.push((fixed(books.doubles as f64, 0), "double purchases".to_owned()));
    }
    if tiles.is_empty() {
        return String::new();
    }
    let item = |(number, what): (String, String)| {
        format!("<li><b>{}</b> <span>{}</span></li>\n", escaped(&number), escaped(&what))
    };
    format!("<ul class=\"tiles\">\n{}</ul>\n", tiles.into_iter().map(item).collect::<String>())
}

/// Goals, with a word and a sign for those that were met and those that were missed.
fn goals(goals: &[Goal]) -> String {
    if goals.is_empty() {
        return String::new();
    }
    let row = |goal: &Goal| {
        let (class, sign) = match goal.verdict {
            Verdict::Met => ("met", "✓"),
            Verdict::Missed => ("missed", "✗"),
            Verdict::NotMeasured => ("unknown", "–"),
        };
        let verdict = goal.verdict.words();
        let [what, aim, measured] = [&goal.what, &goal.goal, &goal.measured].map(|text| escaped(text));
        format!(
            "<tr><td class=\"{class}\">{sign} {verdict}</td><td>{what}</td>\
             <td data-name=\"measured:\">{measured}</td><td data-name=\"goal:\">{aim}</td></tr>\n"
        )
    };
    format!(
        "<section>\n<h2>Goals</h2>\n\
         <div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Goals\">\n\
         <table class=\"goals\">\n<thead><tr><th scope=\"col\">verdict</th><th scope=\"col\">what</th>\
         <th scope=\"col\">measured</th>\
         <th scope=\"col\">goal</th></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n</section>\n",
        goals.iter().map(row).collect::<String>()
    )
}

/// Plots, the shapes a line each, and all rounds, which are folded.
fn throughput(report: &Report) -> String {
    let rounds = report.throughput.iter().map(rows::rounds).filter(|sheet| !sheet.rows.is_empty());
    let rounds: String = rounds.map(|sheet| folded(&sheet.title, &sheet)).collect();
    section("Throughput", &figures::throughput(report), &[rows::entries(report)]) + &rounds
}

/// A row of plots for each axis.
fn growth(report: &Report) -> String {
    let row = |(axis, plots): (&str, Vec<Plot>)| {
        let plots = grid(&plots);
        if plots.is_empty() { plots } else { format!("<h3>By {}</h3>\n{plots}", escaped(axis)) }
    };
    let rows: String = figures::growth(report).into_iter().map(row).collect();
    if rows.is_empty() { rows } else { format!("<section>\n<h2>Growth</h2>\n{rows}</section>\n") }
}

fn books(report: &Report) -> String {
    let mut sheets: Vec<Sheet> = report.restart.iter().map(rows::restart).collect();
    sheets.extend(report.books.iter().flat_map(|books| [rows::books(books), rows::faults(books)]));
    section("Restart and books", &[], &sheets)
}

fn around(report: &Report) -> String {
    let sheets = [rows::pairs("Machine", &report.machine), rows::pairs("Settings", &report.settings)];
    section("Machine and settings", &[], &sheets)
}

/// Plots and tables under a heading; nothing if there are none.
fn section(heading: &str, plots: &[Plot], sheets: &[Sheet]) -> String {
    let sheets: String = sheets.iter().filter(|sheet| !sheet.rows.is_empty()).map(table).collect();
    let plots = grid(plots);
    if plots.is_empty() && sheets.is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>{heading}</h2>\n{plots}{sheets}</section>\n")
}

fn grid(plots: &[Plot]) -> String {
    let plots: String = plots.iter().map(figure).collect();
    if plots.is_empty() { plots } else { format!("<div class=\"plots\">\n{plots}</div>\n") }
}

/// A plot, what its lines are, and its numbers.
fn figure(plot: &Plot) -> String {
    format!(
        "<figure>\n<figcaption>{}</figcaption>\n{}{}{}</figure>\n",
        escaped(&plot.title),
        plot.svg(),
        plot.legend(),
        folded("Numbers", &plot.sheet())
    )
}

/// A table that is seen when it is asked for.
fn folded(summary: &str, sheet: &Sheet) -> String {
    format!("<details>\n<summary>{}</summary>\n{}</details>\n", escaped(summary), table(sheet))
}
