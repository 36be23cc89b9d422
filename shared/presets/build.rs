//! Puts all presets into one JSON text, so that nothing reads YAML at run time.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a build script has nobody but cargo to tell and to ask"
)]

use std::{collections::BTreeMap, env, fs, path::Path};

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo says where the crate is");
    let folder = Path::new(&folder);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut presets: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.file_stem().expect("it has an extension");
        let name = name.to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a preset can be read");
        let preset = serde_saphyr::from_str(&text);
        let preset = preset.unwrap_or_else(|error| panic!("{name}.yaml: {error}"));
        presets.insert(name, preset);
    }
    let text = serde_json::to_string(&presets).expect("JSON can be written");
    let out = env::var("OUT_DIR").expect("cargo says where to write");
    fs::write(Path::new(&out).join("presets.json"), text).expect("the output can be written");
}
