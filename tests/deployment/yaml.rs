//! YAML files, and ways into them.

use yaml_rust2::{Yaml, YamlLoader};

/// The documents of a file.
pub fn documents(path: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(&super::tools::read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What lies at the end of a way of keys and numbers with dots between: `spec.containers.0.image`.
pub fn at<'a>(yaml: &'a Yaml, way: &str) -> &'a Yaml {
    way.split('.').fold(yaml, |at, step| match step.parse::<usize>() {
        Ok(number) if at.as_vec().is_some() => &at[number],
        _ => {
            let own = &at[step];
            // What is merged in from elsewhere lies under this key.
            if own.is_badvalue() { &at["<<"][step] } else { own }
        }
    })
}

/// The text there.
pub fn text<'a>(yaml: &'a Yaml, way: &str) -> &'a str {
    at(yaml, way).as_str().unwrap_or_else(|| panic!("no text at {way}: {yaml:?}"))
}

/// The elements there, none if there is no list.
pub fn list<'a>(yaml: &'a Yaml, way: &str) -> &'a [Yaml] {
    at(yaml, way).as_vec().map_or(&[], Vec::as_slice)
}
