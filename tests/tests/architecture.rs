//! The import arrows of the design: which module of the runtime may use which.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module and the modules that it may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("signature", &[]),
    ("prompt", &["signature"]),
    ("parse", &["signature"]),
    ("grammar", &["signature", "engine"]),
    ("file", &[]),
    ("engine", &["file"]),
    (
        "adapter",
        &["signature", "prompt", "parse", "grammar", "engine", "hub"],
    ),
    ("hub", &["file"]),
    ("remote", &["signature", "prompt", "parse", "adapter"]),
    (
        "program",
        &["signature", "prompt", "parse", "adapter", "file"],
    ),
    ("macros", &[]),
    (
        "private",
        &["signature", "prompt", "parse", "adapter", "program"],
    ),
    (
        "dspy",
        &[
            "signature",
            "prompt",
            "parse",
            "grammar",
            "adapter",
            "program",
        ],
    ),
    (
        "serve",
        &[
            "signature",
            "prompt",
            "parse",
            "grammar",
            "adapter",
            "program",
        ],
    ),
];

fn runtime_sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src")
}

fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("a readable folder");
    let mut files: Vec<_> = entries
        .flat_map(|entry| rust_files(&entry.expect("an entry").path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

/// The modules of the crate that a file names after `crate::`, outside of comments.
fn imports(source: &str) -> BTreeSet<String> {
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut modules = BTreeSet::new();
    for line in code {
        for rest in line.split("crate::").skip(1) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            modules.insert(name);
        }
    }
    modules.remove("");
    modules
}

/// The files of a module: a folder, or one file.
fn module_path(name: &str) -> Option<PathBuf> {
    let folder = runtime_sources().join(name);
    let file = folder.with_extension("rs");
    [folder, file].into_iter().find(|path| path.exists())
}

#[test]
fn modules_import_only_along_the_arrows() {
    let mut seen = 0;
    for (module, allowed) in ARROWS {
        let Some(path) = module_path(module) else {
            continue;
        };
        for file in rust_files(&path) {
            for import in imports(&fs::read_to_string(&file).expect("a readable file")) {
                seen += 1;
                let is_module = ARROWS.iter().any(|(name, _)| *name == import);
                assert!(
                    import == *module || !is_module || allowed.contains(&import.as_str()),
                    "{}: `{module}` must not import `{import}`",
                    file.display()
                );
            }
        }
    }
    assert!(
        seen > 20,
        "only {seen} imports found: the test no longer sees the code"
    );
}

#[test]
fn every_module_has_its_arrows() {
    for entry in fs::read_dir(runtime_sources()).expect("the sources") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert!(
            name == "lib" || ARROWS.iter().any(|(module, _)| *module == name),
            "`{name}` is new: say in ARROWS what it may import"
        );
    }
}

#[test]
fn only_their_own_packages_build_dspy_rs_and_a_server() {
    let root = runtime_sources().join("../..");
    let manifest = |folder: &str| {
        fs::read_to_string(root.join(folder).join("Cargo.toml")).expect("a manifest")
    };
    let workspace = manifest("");
    let members = |key: &str| {
        let line = workspace.lines().find(|line| line.starts_with(key));
        let quoted = line.expect("the list in one line").split('"').skip(1);
        quoted
            .step_by(2)
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let (all, default) = (members("members"), members("default-members"));
    let rest: Vec<_> = all.difference(&default).collect();
    assert_eq!(rest, ["cli", "plots", "tests-dspy", "tests-serve"]);
    for folder in default.iter().filter(|folder| *folder != "runtime") {
        let text = manifest(folder);
        assert!(
            ["dspy", "axum", "\"serve\"", "\"remote\""]
                .iter()
                .all(|word| !text.contains(word)),
            "{folder} would make every build that of dspy-rs or a server"
        );
    }
    let runtime = manifest("runtime");
    for name in ["dspy-rs", "axum", "hyper", "reqwest"] {
        let optional = format!("\n{name} = {{ workspace = true, optional = true }}");
        assert!(runtime.contains(&optional), "{name}");
    }
    assert!(
        runtime.contains("\ndefault = [\"hub\"]\n"),
        "only the hub is there unless turned off"
    );
}

#[test]
fn imports_are_found_wherever_they_stand() {
    let found = imports("use crate::a::B;\n// crate::no\nfn f() { crate::c::d(); }");
    assert_eq!(found, BTreeSet::from(["a".to_owned(), "c".to_owned()]));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let mut files = rust_files(&runtime_sources());
    files.extend(rust_files(&runtime_sources().join("../../macros/src")));
    for file in files {
        let source = fs::read_to_string(&file).expect("a readable file");
        assert!(
            source.starts_with("//!"),
            "{} does not open with a `//!`",
            file.display()
        );
    }
}
