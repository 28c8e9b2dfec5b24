//! `hashbuy load parts`.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Stdio;

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use crate::command::Error;
use crate::load::Failed;
use crate::load::parts::{Figures, Part};
use crate::load::report::{Report, table};
use crate::load::watched::{How, log_in};

/// Arguments of `load parts`.
#[derive(Debug, Args)]
#[command(after_help = "\
No broker is needed. Each part is measured in a process of its own: the prefilter beside memchr, 10 \
million linked ids, 10 million pendings, a million of them due at once, and a replay of a plain file \
beside a loop that parses ids. It takes about a minute, and 2 GB of memory.

Examples:
  hashbuy load parts
  hashbuy load parts --core 1 --only prefilter --json")]
pub struct Parts {
    /// One of them only
    #[arg(long, value_name = "PART",
          value_parser = PossibleValuesParser::new(Part::ALL.map(Part::as_str)).map(|name| named(&name)))]
    pub only: Option<Part>,
    /// How much of each: 1 is what the goals are meant for, 0.01 is a trial
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = share)]
    pub scale: f64,
    /// The only core that may be used (Linux)
    #[arg(long, value_name = "N")]
    pub core: Option<usize>,
    /// Print the figures as one JSON object
    #[arg(long)]
    pub json: bool,
}

fn named(name: &str) -> Part {
    Part::ALL.into_iter().find(|part| part.as_str() == name).unwrap_or(Part::Prefilter)
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("must be above 0, and 1 at most".to_owned()),
    }
}

/// Runs `hashbuy load parts`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Parts) -> Result<(), Error> {
    let figures = match args.only.filter(|_| args.json && args.core.is_none()) {
        // As it is started for each part.
        Some(part) => part.measure(args.scale)?,
        None => {
            let folder = std::env::temp_dir();
            let parts = args.only.map_or_else(|| Part::ALL.to_vec(), |part| vec![part]);
            apart(&parts, args.scale, args.core, &folder, &mut |_| {})?
        }
    };
    let said = if args.json {
        format!("{}\n", serde_json::to_string(&figures).map_err(Error::failed)?)
    } else {
        table::parts(&Report { parts: figures, ..Report::default() })
    };
    io::stdout().write_all(said.as_bytes()).map_err(|error| Error::stdout(&error))
}

/// Measures each part in a process of its own, whose log goes into a folder. `doing` is told which comes next.
///
/// # Errors
/// If a process does not start, or does not end well.
pub fn apart(
    parts: &[Part],
    scale: f64,
    core: Option<usize>,
    folder: &Path,
    doing: &mut dyn FnMut(Part),
) -> Result<Figures, Error> {
    let program = std::env::current_exe().map_err(Error::failed)?;
    let mut all = Figures::new();
    for part in parts {
        doing(*part);
        let words = ["load", "parts", "--json", "--only", part.as_str(), "--scale"].map(str::to_owned);
        let arguments = words.into_iter().chain([scale.to_string()]).collect();
        let log = log_in(folder, &format!("load-parts-{}-{}", part.as_str(), std::process::id()));
        let how = How { program: program.clone(), arguments, core, log: log.clone() };
        let ended = how.spawn(Stdio::piped())?.wait_with_output().map_err(Error::failed)?;
        let figures = ended.status.success().then(|| serde_json::from_slice::<Figures>(&ended.stdout).ok());
        let Some(figures) = figures.flatten() else {
            let failed =
                format!("load parts --only {}: {}; see {}", part.as_str(), ended.status, log.display());
            return Err(Failed(failed).into());
        };
        // Nothing stands in it.
        let _ = std::fs::remove_file(&log);
        all.extend(figures);
    }
    Ok(all)
}
