//! What the documents say is there: links and their anchors, tests, examples, benches and scripts by their names, and a row of the
//! specification for each requirement.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The requirements that `docs/specification.md` answers to.
const REQUIREMENTS: &[&str] = &[
    "R1.1", "R1.2", "R2.1", "R2.2", "R2.3", "R3.1", "R3.2", "R4.1", "R4.2", "R5.1", "R5.2", "R5.3",
    "R5.4", "R6.1", "R6.2", "R6.3", "R7.1", "R8.1", "R9.1", "R10.1", "R10.2", "R11.1", "R11.2",
    "R11.3",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn markdown_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            markdown_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The documents of the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["docs", "scripts", "training", "runtime/models", "macros"] {
        markdown_below(&root().join(folder), &mut found);
    }
    found.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|file| root().join(file)));
    found.sort();
    found
}

/// The text without blocks of code.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// The targets of `[words](target)`.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    targets.collect()
}

/// The anchor that a heading has on GitHub and in mdBook.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(path: &Path) -> BTreeSet<String> {
    let text = prose(&read(path));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for document in documents() {
        for link in links(&read(&document)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (file, place) = link.split_once('#').unwrap_or((&link, ""));
            let folder = document.parent().expect("a folder");
            let target = if file.is_empty() {
                document.clone()
            } else {
                folder.join(file)
            };
            assert!(
                target.exists(),
                "{}: `{link}` leads nowhere",
                document.display()
            );
            assert!(
                place.is_empty() || anchors(&target).contains(place),
                "{}: `{link}`: no such heading",
                document.display()
            );
        }
    }
    assert!(seen > 50, "only {seen} links were found");
}

#[test]
fn every_chapter_is_in_the_summary_and_the_index() {
    let docs = root().join("docs");
    let (summary, index) = (
        read(&docs.join("SUMMARY.md")),
        read(&docs.join("README.md")),
    );
    for entry in fs::read_dir(&docs).expect("the chapters") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy().into_owned();
        if name.ends_with(".md") && !["SUMMARY.md", "README.md"].contains(&&*name) {
            let link = format!("]({name})");
            assert!(summary.contains(&link), "docs/SUMMARY.md lacks {name}");
            assert!(index.contains(&link), "docs/README.md lacks {name}");
        }
    }
}

/// The words behind a flag, wherever the documents have it: `--test adapter`.
fn named_by(flag: &str) -> BTreeSet<(String, PathBuf)> {
    let mut found = BTreeSet::new();
    for document in documents() {
        let text = read(&document);
        for rest in text.split(flag).skip(1) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            // Words in capitals stand for one of many.
            if !name.is_empty() && name.to_lowercase() == name {
                found.insert((name, document.clone()));
            }
        }
    }
    found
}

/// Whether one of the folders has a file or a folder of this name.
fn is_in(folders: &[&str], name: &str) -> bool {
    folders.iter().any(|folder| {
        let path = root().join(folder).join(name);
        path.is_dir() || path.with_extension("rs").is_file()
    })
}

#[test]
fn tests_examples_and_benches_that_are_named_exist() {
    let places: [(&str, &[&str]); 3] = [
        (
            "--test ",
            &[
                "tests/tests",
                "tests-dspy/tests",
                "tests-serve/tests",
                "cli/tests",
                "ui-tests/tests",
            ],
        ),
        (
            "--example ",
            &[
                "examples",
                "tests-dspy/examples",
                "tests-serve/examples",
                "runtime/examples",
            ],
        ),
        ("--bench ", &["runtime/benches", "ui-tests/benches"]),
    ];
    for (flag, folders) in places {
        let named = named_by(flag);
        assert!(!named.is_empty(), "no document has `{flag}`");
        for (name, document) in named {
            assert!(
                is_in(folders, &name),
                "{}: `{flag}{name}` names nothing",
                document.display()
            );
        }
    }
}

/// The names in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Where a test of the specification lives: `adapter::name` in the tests, `dspy/adapter::name` and `serve/chat::name` in those of the features, and
/// otherwise a path from the root.
fn test_file(place: &str) -> PathBuf {
    let path = match place.split_once('/') {
        Some(("dspy", file)) => format!("tests-dspy/tests/dspy/{file}"),
        Some(("serve", file)) => format!("tests-serve/tests/serve/{file}"),
        Some(_) => place.to_owned(),
        None => format!("tests/tests/{place}"),
    };
    root().join(path).with_extension("rs")
}

#[test]
fn the_specification_has_a_row_for_each_requirement_and_its_tests_exist() {
    let text = read(&root().join("docs/specification.md"));
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| R"))
        .collect();
    let ids: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.split('|').nth(1))
        .map(str::trim)
        .collect();
    assert_eq!(ids, REQUIREMENTS);
    let mut seen = 0;
    for row in rows {
        let shown = row.split('|').nth(3).expect("the column of what shows it");
        for name in quoted(shown) {
            if let Some((place, test)) = name.split_once("::").filter(|_| !name.contains(' ')) {
                seen += 1;
                let file = test_file(place);
                let source = read(&file);
                assert!(
                    source.contains(&format!("fn {test}(")),
                    "`{name}`: {} has no such test",
                    file.display()
                );
            }
        }
    }
    assert!(seen > 60, "only {seen} tests are named");
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(anchor(" Faults of 0.7.3, and how"), "faults-of-073-and-how");
    assert_eq!(links("a [b](c.md#d) `e`\n```\n[f](g)\n```\n"), ["c.md#d"]);
}
