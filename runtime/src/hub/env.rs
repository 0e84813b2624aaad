//! Where the cache is, which hub, which token, and whether to ask at all: Python's variables, Python's precedence
//! (`huggingface_hub/constants.py`).

use std::ffi::OsString;
use std::path::PathBuf;

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub cache: Option<PathBuf>,
    pub endpoint: String,
    pub token: Option<String>,
    pub offline: bool,
}

pub(super) const PUBLIC: &str = "https://huggingface.co";

impl Settings {
    /// Reads variables by `get`; an empty one counts as unset.
    pub(super) fn read(get: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Self {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| get(name).and_then(|value| value.into_string().ok());
        let path = |name: &str| get(name).map(PathBuf::from);
        let hf_home = path("HF_HOME").or_else(|| {
            let cache = path("XDG_CACHE_HOME").or_else(|| home.map(|home| home.join(".cache")));
            cache.map(|cache| cache.join("huggingface"))
        });
        let cache = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| hf_home.as_ref().map(|home| home.join("hub")));
        let token_file =
            path("HF_TOKEN_PATH").or_else(|| hf_home.as_ref().map(|home| home.join("token")));
        let token = text("HF_TOKEN")
            .or_else(|| text("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| std::fs::read_to_string(token_file?).ok());
        let is_true = |name: &str| text(name).is_some_and(|value| is_true(&value));
        Settings {
            cache,
            endpoint: text("HF_ENDPOINT").unwrap_or_else(|| PUBLIC.to_owned()),
            token: token.as_deref().and_then(clean_token),
            offline: is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE"),
        }
    }

    pub(super) fn from_env() -> Self {
        Self::read(|name| std::env::var_os(name), std::env::home_dir())
    }
}

pub(super) fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// A token goes into a header: what can't stand there is no token.
pub(super) fn clean_token(token: &str) -> Option<String> {
    let token = token.trim();
    let good = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    good.then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)], home: Option<&str>) -> Settings {
        let get = |name: &str| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Settings::read(get, home.map(PathBuf::from))
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let cache = |pairs: &[_]| settings(pairs, Some("/home/a")).cache.unwrap();
        let expect = |pairs: &[_], path: &str| assert_eq!(cache(pairs), PathBuf::from(path));
        expect(&[], "/home/a/.cache/huggingface/hub");
        expect(&[("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub");
        let home = ("HF_HOME", "/hf");
        expect(&[("XDG_CACHE_HOME", "/x"), home], "/hf/hub");
        expect(&[home, ("HUGGINGFACE_HUB_CACHE", "/old")], "/old");
        let both = [
            home,
            ("HUGGINGFACE_HUB_CACHE", "/old"),
            ("HF_HUB_CACHE", "/new"),
        ];
        expect(&both, "/new");
        expect(&[("HF_HUB_CACHE", ""), home], "/hf/hub");
        assert_eq!(settings(&[], None).cache, None);
    }

    #[test]
    fn the_token_is_the_variables_else_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        let token = |pairs: &[_]| settings(pairs, None).token;
        assert_eq!(token(&[("HF_HOME", home)]), None);
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        assert_eq!(token(&[("HF_HOME", home)]).as_deref(), Some("hf_file"));
        let both = [("HF_HOME", home), ("HF_TOKEN", " hf_var ")];
        assert_eq!(token(&both).as_deref(), Some("hf_var"));
        assert_eq!(token(&[("HF_TOKEN", "a\r\nX-Evil: 1")]), None);
    }

    #[test]
    fn offline_is_said_as_python_says_it() {
        for (value, offline) in [
            ("1", true),
            ("True", true),
            ("YES", true),
            ("0", false),
            ("", false),
        ] {
            assert_eq!(
                settings(&[("HF_HUB_OFFLINE", value)], None).offline,
                offline,
                "{value}"
            );
        }
        assert!(settings(&[("TRANSFORMERS_OFFLINE", "on")], None).offline);
    }
}
