//! Short names of the models that run here, as people write them.

/// A family on the hub: owner, name before the size, sizes, and what may follow.
struct Family {
    owner: &'static str,
    name: &'static str,
    sizes: &'static [&'static str],
    suffixes: &'static [&'static str],
}

/// Families whose architecture the engine runs, as their makers published them.
const FAMILIES: &[Family] = &[
    Family {
        owner: "Qwen",
        name: "Qwen2.5",
        sizes: &["0.5B", "1.5B", "3B", "7B", "14B", "32B", "72B"],
        suffixes: &["", "-Instruct"],
    },
    Family {
        owner: "Qwen",
        name: "Qwen2.5-Coder",
        sizes: &["0.5B", "1.5B", "3B", "7B", "14B", "32B"],
        suffixes: &["", "-Instruct"],
    },
    Family {
        owner: "Qwen",
        name: "Qwen2",
        sizes: &["0.5B", "1.5B", "7B", "72B"],
        suffixes: &["", "-Instruct"],
    },
    Family {
        owner: "Qwen",
        name: "Qwen3",
        sizes: &["0.6B", "1.7B", "4B", "8B", "14B"],
        suffixes: &["", "-Base"],
    },
    Family {
        owner: "Qwen",
        name: "Qwen3",
        sizes: &["32B"],
        suffixes: &[""],
    },
];

/// GGUF repositories and the file of theirs that is meant: 8 bits, in one piece.
const GGUF: &[(&str, &str)] = &[
    (
        "Qwen2.5-0.5B-Instruct-GGUF",
        "qwen2.5-0.5b-instruct-q8_0.gguf",
    ),
    (
        "Qwen2.5-1.5B-Instruct-GGUF",
        "qwen2.5-1.5b-instruct-q8_0.gguf",
    ),
    ("Qwen2.5-3B-Instruct-GGUF", "qwen2.5-3b-instruct-q8_0.gguf"),
    ("Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q8_0.gguf"),
    ("Qwen3-1.7B-GGUF", "Qwen3-1.7B-Q8_0.gguf"),
    ("Qwen3-4B-GGUF", "Qwen3-4B-Q8_0.gguf"),
    ("Qwen3-8B-GGUF", "Qwen3-8B-Q8_0.gguf"),
];

/// An alias, and the repository and file that it stands for.
pub(super) struct Alias {
    pub name: String,
    pub repository: String,
    pub file: Option<&'static str>,
}

pub(super) fn all() -> impl Iterator<Item = Alias> {
    let plain = FAMILIES.iter().flat_map(|family| {
        family.sizes.iter().flat_map(move |size| {
            family.suffixes.iter().map(move |suffix| {
                let name = format!("{}-{size}{suffix}", family.name);
                Alias {
                    repository: format!("{}/{name}", family.owner),
                    name,
                    file: None,
                }
            })
        })
    });
    let gguf = GGUF.iter().map(|(name, file)| Alias {
        name: (*name).to_owned(),
        repository: format!("Qwen/{name}"),
        file: Some(file),
    });
    plain.chain(gguf)
}

/// The short names and what each stands for, as [`ModelId`](super::ModelId) reads it.
///
/// ```
/// let (name, id) = candle_signature::hub::aliases().next().expect("the first");
/// assert_eq!((name.as_str(), id.as_str()), ("Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B"));
/// ```
pub fn aliases() -> impl Iterator<Item = (String, String)> {
    all().map(|alias| {
        let id = match alias.file {
            None => alias.repository,
            Some(file) => format!("{}:{file}", alias.repository),
        };
        (alias.name, id)
    })
}

/// The alias that a name is, whatever its case.
pub(super) fn find(name: &str) -> Option<Alias> {
    all().find(|alias| alias.name.eq_ignore_ascii_case(name))
}

/// The alias that was probably meant, by its last part if there is an owner before it.
pub(super) fn nearest(name: &str) -> Option<String> {
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    // Comparing takes the product of the lengths.
    if name.len() > 64 {
        return None;
    }
    let distance = |alias: &String| strsim::damerau_levenshtein(&alias.to_lowercase(), &name);
    all()
        .map(|alias| alias.name)
        .min_by_key(distance)
        .filter(|alias| (1..=3).contains(&distance(alias)))
}
