//! The Dockerfile, read: its stages, and their instructions.

use super::tools::read;

pub const PATH: &str = "deploy/docker/Dockerfile";

/// An instruction, such as `RUN`, with all that stands behind it on one line.
pub struct Instruction {
    pub name: String,
    pub rest: String,
}

/// The stages in their order, each from its `FROM`; what stands before the first is left out.
pub fn stages() -> Vec<Vec<Instruction>> {
    let text = read(PATH);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
    let whole: String = lines.map(|line| format!("{line}\n")).collect::<String>().replace("\\\n", " ");
    let mut stages: Vec<Vec<Instruction>> = Vec::new();
    for line in whole.lines() {
        let (name, rest) = line.trim().split_once(' ').unwrap();
        if name == "FROM" {
            stages.push(Vec::new());
        }
        if let Some(stage) = stages.last_mut() {
            let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            stage.push(Instruction { name: name.to_owned(), rest });
        }
    }
    stages
}

/// What the only instruction of a name in a stage says.
pub fn only<'a>(stage: &'a [Instruction], name: &str) -> &'a str {
    let mut found = stage.iter().filter(|instruction| instruction.name == name);
    let only = found.next().unwrap_or_else(|| panic!("no {name} in {PATH}"));
    assert!(found.next().is_none(), "more than one {name} in {PATH}");
    &only.rest
}

/// The value of an `ARG` with a default, wherever it stands.
pub fn argument(name: &str) -> String {
    let start = format!("ARG {name}=");
    read(PATH)
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or_else(|| panic!("no {start}"))
        .to_owned()
}
