//! The table of mutations.

use serde::Deserialize;

/// How most of them are noticed. Not optimised: most show within a few seeds, sooner than a release is built.
const SIMULATION: &str = "cargo run -q --example simulate -- --seeds 0..1500 --no-shrink";

/// A deliberate defect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// Its name.
    pub name: String,
    /// What it breaks: I1 to I12.
    pub guarantee: String,
    /// What the program does with it.
    pub says: String,
    /// The file, from the root of the project.
    pub file: String,
    /// What stands there, once.
    pub old: String,
    /// What is to stand there.
    pub new: String,
    /// The command that has to fail.
    #[serde(default = "simulation")]
    pub check: String,
}

fn simulation() -> String {
    SIMULATION.to_owned()
}

#[derive(Deserialize)]
struct Table {
    mutation: Vec<Mutation>,
}

impl Mutation {
    /// The source with the defect in it.
    ///
    /// # Panics
    /// If the piece does not stand there once: then the table is out of date.
    pub fn applied_to(&self, source: &str) -> String {
        let times = source.matches(&self.old).count();
        assert_eq!(times, 1, "{}: its piece stands {times} times in {}", self.name, self.file);
        source.replacen(&self.old, &self.new, 1)
    }
}

/// All of them.
pub fn mutations() -> Vec<Mutation> {
    let table: Table = toml::from_str(include_str!("mutations.toml")).unwrap();
    table.mutation
}
