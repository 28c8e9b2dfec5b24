//! Where a text is URL, so that a `#` in it begins no hashtag.
//!
//! Within one run of characters without white space, all is URL
//!
//! - behind `http://` or `https://`, in any case, and a host, from the `/`, `?` or `#` on that follows
//!   the host: `http://a.com,#b` is a URL, a comma and a tag;
//! - behind a host without scheme under com, net or org and its `/`. A port may stand between;
//!   the host may not directly follow `@`, `$`, `#`, `_`, `-`, `.`, `/` (nor, being whole, a letter
//!   or digit): `@name.com/#a` is a mention, and holds a tag.
//!
//! After white space a tag is a tag again.

/// The top-level domains whose hosts are URLs without a scheme too.
const BARE_DOMAINS: [&str; 3] = ["com", "net", "org"];
/// What no bare host may directly follow, besides letters and digits.
const NOT_BEFORE_A_HOST: [char; 9] = ['@', '＠', '$', '#', '＃', '_', '-', '.', '/'];

/// Answers whether places of a text are in a URL. They have to be asked for in the order of the
/// text: so each run is looked at once, however many signs are in it.
pub(super) struct Urls<'t> {
    text: &'t str,
    /// The end of the last run looked at.
    run_end: usize,
    /// Where in that run the URL begins; `run_end` if it has none.
    url: usize,
}

impl<'t> Urls<'t> {
    pub(super) fn new(text: &'t str) -> Urls<'t> {
        Urls { text, run_end: 0, url: 0 }
    }

    /// Whether the sign at `at` is in a URL.
    pub(super) fn cover(&mut self, at: usize) -> bool {
        if at >= self.run_end {
            let space = self.text[self.run_end..at].rfind(char::is_whitespace);
            let start = self.run_end + space.unwrap_or(0);
            self.run_end = at + self.text[at..].find(char::is_whitespace).unwrap_or(self.text.len() - at);
            let run = &self.text[start..self.run_end];
            self.url = [after_scheme(run), after_bare_host(run)]
                .into_iter()
                .flatten()
                .min()
                .map_or(self.run_end, |url| start + url);
        }
        self.url <= at
    }
}

/// Where the first URL with a scheme and more than a host stands in `run`: directly behind its `://`.
fn after_scheme(run: &str) -> Option<usize> {
    let ends_with = |text: &str, scheme: &[u8]| {
        let tail = text.len().checked_sub(scheme.len()).map(|from| &text.as_bytes()[from..]);
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(scheme))
    };
    run.match_indices("://").find_map(|(at, separator)| {
        let (before, host) = (&run[..at], at + separator.len());
        let is_web = ends_with(before, b"http") || ends_with(before, b"https");
        let in_host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@');
        let goes_on = run[host..].trim_start_matches(in_host).starts_with(['/', '?', '#']);
        (is_web && goes_on && run[host..].starts_with(char::is_alphanumeric)).then_some(host)
    })
}

/// Where the first URL without a scheme has its first `/` in `run`.
fn after_bare_host(run: &str) -> Option<usize> {
    run.match_indices('/').map(|(slash, _)| slash).find(|&slash| ends_with_bare_host(&run[..slash]))
}

fn ends_with_bare_host(text: &str) -> bool {
    let without_digits = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let text = match without_digits.strip_suffix(':') {
        Some(host) if without_digits.len() < text.len() => host,
        _ => text,
    };
    let in_host = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let host = &text[text.trim_end_matches(in_host).len()..];
    let before = text[..text.len() - host.len()].chars().next_back();
    let Some((labels, domain)) = host.rsplit_once('.') else { return false };
    BARE_DOMAINS.iter().any(|bare| domain.eq_ignore_ascii_case(bare))
        && labels.split('.').all(|label| !label.is_empty())
        && !labels.starts_with('-')
        && before.is_none_or(|c| !NOT_BEFORE_A_HOST.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_hosts() {
        for host in
            ["a.com", "see:a.com", "x-1.b.NET", "a.org:80", "(a.com", "é.com", "café,a.com", "見a.com"]
        {
            assert!(ends_with_bare_host(host), "{host}");
        }
        for no_host in ["", "com", ".com", "a..com", "a.b", "a.com:", "a.com:x1", "a.company", "a.com.", "1"]
        {
            assert!(!ends_with_bare_host(no_host), "{no_host}");
        }
        for before in NOT_BEFORE_A_HOST {
            assert!(!ends_with_bare_host(&format!("{before}a.com")), "{before}");
        }
    }

    #[test]
    fn each_run_has_its_own_url() {
        let text = "a #b,http://c/#d\u{3000}#e a.com/#f\n#g";
        let mut urls = Urls::new(text);
        let covered: Vec<bool> = text.match_indices('#').map(|(at, _)| urls.cover(at)).collect();
        assert_eq!(covered, [false, true, false, true, false]);
    }
}
