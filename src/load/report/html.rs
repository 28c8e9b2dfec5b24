//! Pieces of HTML.

use super::rows::Sheet;

/// A word with more letters than these may be cut; a cell with more has room for some of them.
const LONG: usize = 24;

/// A text as it may stand in an element or between quotes.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() && c != '\n' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A table that scrolls by itself where it is too wide, with its title as a caption.
pub fn table(sheet: &Sheet) -> String {
    let title = escaped(&sheet.title);
    let class = |column| if column < sheet.words { "" } else { " class=\"n\"" };
    let header: String = sheet
        .header
        .iter()
        .enumerate()
        .map(|(column, cell)| match cell.is_empty() {
            true => "<td></td>".to_owned(),
            // A line does not end within `CPU-s`.
            false => {
                format!("<th scope=\"col\"{}>{}</th>", class(column), escaped(&cell.replace('-', "\u{2011}")))
            }
        })
        .collect();
    let mut rows = String::new();
    for row in &sheet.rows {
        rows.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let long = cell.split_whitespace().any(|word| word.chars().count() > LONG);
            let class = match cell.chars().count() {
                _ if long => " class=\"long\"",
                letters if letters > LONG => " class=\"wide\"",
                _ => class(column),
            };
            rows.push_str(&format!("<td{class}>{}</td>", escaped(cell)));
        }
        rows.push_str("</tr>\n");
    }
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{title}\">\n<table>\n\
         <caption>{title}</caption>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table>\n</div>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escaped("<b> & \"it's\"\u{1}"), "&lt;b&gt; &amp; &quot;it&#39;s&quot; ");
    }
}
