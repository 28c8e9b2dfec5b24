//! Text in columns, for a person.

/// Lines with the cells of a column below each other, each as wide as its longest.
pub fn columns(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let all = || std::iter::once(&header).chain(rows);
    let width = |column: usize| {
        all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line += cell;
            let short = width.saturating_sub(cell.chars().count());
            line.extend(std::iter::repeat_n(' ', short + 2));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other() {
        let rows =
            [vec!["1".to_owned(), "é".to_owned(), "x".to_owned()], vec!["22".to_owned(), "bb".to_owned()]];
        assert_eq!(columns(&["n", "t", "last"], &rows), "n   t   last\n1   é   x\n22  bb\n");
    }
}
