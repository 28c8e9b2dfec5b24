//! A report on a terminal.

use super::numbers::duration;
use super::rows::{self, Sheet, all};
use super::{Report, goals};

/// No line is longer.
const WIDTH: usize = 100;
/// Between two columns.
const GAP: usize = 2;

/// All of it, in lines of at most 100 characters.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    let head = match report.began_at.is_empty() {
        true => format!("Load benchmark, {}", duration(report.seconds)),
        false => format!("Load benchmark of {}, {}", report.began_at, duration(report.seconds)),
    };
    push(&mut text, &wrapped(&head, WIDTH));
    for sheet in all(report) {
        text.push('\n');
        push(&mut text, &wrapped(&sheet.title, WIDTH));
        push(&mut text, &lines(&sheet));
    }
    let verdicts = goals::verdicts(&report.goals());
    if !verdicts.is_empty() {
        text.push_str(&format!("\nGoals: {verdicts}\n"));
    }
    text
}

/// What was measured of the parts, and the goals for them.
pub fn parts(report: &Report) -> String {
    let mut text = String::new();
    for sheet in [rows::parts(report), rows::goals_of_parts(report)] {
        push(&mut text, &lines(&sheet));
        text.push('\n');
    }
    text
}

fn push(text: &mut String, lines: &[String]) {
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// The header, a line under it, and the rows; words at the left of their column and numbers at its right.
fn lines(sheet: &Sheet) -> Vec<String> {
    let widths = widths(sheet);
    let mut lines = Vec::new();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    for row in [&sheet.header, &rule].into_iter().chain(&sheet.rows) {
        let cells: Vec<Vec<String>> =
            row.iter().zip(&widths).map(|(cell, width)| wrapped(cell, *width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for i in 0..height {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let cell = cell.get(i).map_or("", String::as_str);
                let short = " ".repeat(width.saturating_sub(cell.chars().count()));
                let (before, after) = if column < sheet.words { ("", &*short) } else { (&*short, "") };
                line.push_str(before);
                line.push_str(cell);
                line.push_str(after);
                line.push_str(&" ".repeat(GAP));
            }
            lines.push(line);
        }
    }
    lines
}

/// As wide as the longest cell and the longest word of the header; the widest gives way.
fn widths(sheet: &Sheet) -> Vec<usize> {
    let longest = |column: usize| {
        let words = sheet.header.get(column).into_iter().flat_map(|cell| cell.split_whitespace());
        let cells = sheet.rows.iter().filter_map(|row| row.get(column));
        words.chain(cells.map(String::as_str)).map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..sheet.header.len()).map(longest).collect();
    let room = WIDTH.saturating_sub(GAP * widths.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > 1 => *widest -= 1,
            _ => break,
        }
    }
    widths
}

/// Lines of at most so many characters; a longer word is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for part in letters.chunks(width) {
            let line = lines.last().map_or(0, |line| line.chars().count());
            if line > 0 && line + 1 + part.len() > width {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.extend(part);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_cells_are_wrapped_and_long_words_cut() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("", 3), [""]);
    }

    #[test]
    fn numbers_stand_at_the_right() {
        let mut sheet = Sheet::new("t", 1, &["what", "per CPU-s"]);
        sheet.rows = vec![vec!["a".into(), "1".into()], vec!["b".into(), "12,345".into()]];
        let mut text = String::new();
        push(&mut text, &lines(&sheet));
        assert_eq!(text, "what     per\n       CPU-s\n----  ------\na          1\nb     12,345\n");
    }
}
