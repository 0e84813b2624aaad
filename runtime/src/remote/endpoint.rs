//! One server: where it is, what it calls the model, how it is asked to hold replies, what it may be asked at a time.

use std::env;
use std::fmt;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::RemoteError;

/// How a server is asked to hold a reply to the types of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Guidance {
    /// As [`Guidance::JsonSchema`]; where the server refuses that, as [`Guidance::JsonObject`], and where it refuses that too, by the prompt
    /// alone. What it refused is remembered, schema by schema.
    #[default]
    Auto,
    /// `response_format` of type `json_schema`: vLLM, llama-server, OpenAI, our own endpoint.
    JsonSchema,
    /// `response_format` of type `json_object` with the schema beside it: llama-cpp-python, and servers that know no more than that the
    /// reply is JSON.
    JsonObject,
    /// vLLM's own field `structured_outputs` (0.12 and later), which takes regular expressions and grammars too.
    Vllm,
    /// llama-server's own fields `json_schema` and `grammar`; a Lark grammar needs a build with llguidance.
    LlamaServer,
    /// Nothing is asked for: the signature's own layout, the parser, and another try where the reply can't be read. Right for our
    /// own endpoint too where it is started with `hold_dspy_replies`: it then knows the prompt and holds replies to it by itself.
    None,
}

/// One server and what is asked of it.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) url: Url,
    pub(super) model: String,
    pub(super) key: Option<Secret>,
    pub(super) guidance: Guidance,
    pub(super) limits: Limits,
}

/// What a server may be asked at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub concurrent: usize,
    pub requests_per_minute: Option<u32>,
    pub tokens_per_minute: Option<u32>,
}

/// A key: shown nowhere.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Endpoint {
    /// The model of this name at this address: `http://127.0.0.1:8000`, `https://api.openai.com/v1`. An address without a path gets the
    /// usual `/v1`.
    ///
    /// # Errors
    /// [`RemoteError::Setting`] if the address is none of HTTP, holds a password, or the name is empty.
    pub fn new(base_url: &str, model: impl Into<String>) -> Result<Self, RemoteError> {
        let refuse = |problem: String| Err(RemoteError::setting("base_url", problem));
        let mut url = match Url::parse(base_url.trim()) {
            Ok(url) => url,
            Err(error) => {
                return refuse(format!(
                    "`{}` is no address ({error}): write it as http://host:port/v1",
                    base_url.trim()
                ));
            }
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return refuse("must begin with http:// or https://".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("holds a user or password: give the key by with_api_key".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or fragment: leave out what follows `?` and `#`".into());
        }
        let path = match url.path().trim_end_matches('/') {
            "" => "/v1/".to_owned(),
            path => format!("{}/", path.trim_end_matches("/chat/completions")),
        };
        url.set_path(&path);
        let model = model.into();
        if model.trim().is_empty() {
            return Err(RemoteError::setting(
                "model",
                "is empty: name the model as the server does (GET /v1/models lists them)",
            ));
        }
        Ok(Endpoint {
            url,
            model,
            key: None,
            guidance: Guidance::default(),
            limits: Limits {
                concurrent: 256,
                requests_per_minute: None,
                tokens_per_minute: None,
            },
        })
    }

    /// What `OPENAI_BASE_URL`, `OPENAI_MODEL` and, where the server asks for one, `OPENAI_API_KEY` say.
    ///
    /// # Errors
    /// [`RemoteError::Setting`] that names the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, RemoteError> {
        let read = |name: &str| {
            env::var(name).map_err(|_| {
                RemoteError::setting(name, "is not set in the environment, or is no text")
            })
        };
        let endpoint = Endpoint::new(&read("OPENAI_BASE_URL")?, read("OPENAI_MODEL")?)?;
        match env::var("OPENAI_API_KEY") {
            Ok(key) if !key.is_empty() => endpoint.with_api_key(key),
            _ => Ok(endpoint),
        }
    }

    /// Sends this key with every request. It is shown in no error, log or debug output, and sent to no address that the server redirects to.
    ///
    /// # Errors
    /// [`RemoteError::Setting`] if it holds what no header can.
    pub fn with_api_key(mut self, key: impl Into<String>) -> Result<Self, RemoteError> {
        let key = key.into();
        let key = key.trim();
        if key.is_empty() || HeaderValue::from_str(key).is_err() {
            let problem = "is empty or holds characters that no HTTP header can: copy it again";
            return Err(RemoteError::setting("api_key", problem));
        }
        self.key = Some(Secret(key.to_owned()));
        Ok(self)
    }

    /// Says how replies are held to the types.
    #[must_use]
    pub fn with_guidance(mut self, guidance: Guidance) -> Self {
        self.guidance = guidance;
        self
    }

    /// Bounds the requests that are under way at once; 0 counts as 1. Further ones wait. Default 256.
    #[must_use]
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.limits.concurrent = requests.max(1);
        self
    }

    /// Bounds the requests that are begun in a minute; 0 counts as 1. Further ones wait.
    #[must_use]
    pub fn with_requests_per_minute(mut self, requests: u32) -> Self {
        self.limits.requests_per_minute = Some(requests.max(1));
        self
    }

    /// Bounds the tokens of prompts and replies in a minute; 0 counts as 1. A request is counted by its length and `max_tokens`
    /// when it is sent, and by what it used once that is known.
    #[must_use]
    pub fn with_tokens_per_minute(mut self, tokens: u32) -> Self {
        self.limits.tokens_per_minute = Some(tokens.max(1));
        self
    }

    /// The address, as errors and statistics name it.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The model's name at the server.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether it is on this machine, so that no proxy stands between.
    pub(super) fn is_local(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    /// A text of the server's without the key, should it repeat it.
    pub(super) fn without_key(&self, text: String) -> String {
        match &self.key {
            Some(Secret(key)) if text.contains(key.as_str()) => text.replace(key.as_str(), "…"),
            _ => text,
        }
    }

    /// The address below the base.
    pub(super) fn at(&self, path: &str) -> Url {
        // The base ends in `/` and the path is one of ours: joining can't fail, and if it did the base would be asked.
        self.url.join(path).unwrap_or_else(|_| self.url.clone())
    }
}

impl Secret {
    /// The header that shows the key.
    pub fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("base_url", &self.base_url())
            .field("model", &self.model)
            .field("key", &self.key)
            .field("guidance", &self.guidance)
            .field("limits", &self.limits)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_gets_the_usual_one() {
        for (given, base) in [
            ("http://localhost:8000", "http://localhost:8000/v1"),
            (" http://localhost:8000/ ", "http://localhost:8000/v1"),
            ("https://x.org/openai/v2/", "https://x.org/openai/v2"),
            ("https://x.org/v1/chat/completions", "https://x.org/v1"),
        ] {
            let endpoint = Endpoint::new(given, "m").expect(given);
            assert_eq!(endpoint.base_url(), base);
            let whole = endpoint.at("chat/completions");
            assert_eq!(whole.as_str(), format!("{base}/chat/completions"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_do() {
        for (given, says) in [
            ("localhost:8000", "http://"),
            ("ftp://x.org", "http://"),
            ("http://me:pass@x.org", "with_api_key"),
            ("http://x.org/v1?key=1", "query"),
            ("", "http://host"),
        ] {
            let error = Endpoint::new(given, "m").expect_err(given).to_string();
            assert!(error.contains(says), "{given}: {error}");
            assert!(!error.contains("pass@"), "{error}");
        }
        assert!(Endpoint::new("http://x.org", " ").is_err());
    }

    #[test]
    fn a_key_is_never_shown() {
        let endpoint = Endpoint::new("http://x.org", "m").expect("an endpoint");
        let endpoint = endpoint.with_api_key("sk-secret").expect("a key");
        assert!(!format!("{endpoint:?}").contains("secret"));
        let told = endpoint.without_key("wrong key sk-secret!".into());
        assert_eq!(told, "wrong key …!");
        let wrong = Endpoint::new("http://x.org", "m").expect("an endpoint");
        assert!(wrong.with_api_key("a\nb").is_err());
    }

    #[test]
    fn this_machine_is_known() {
        for (url, local) in [
            ("http://localhost:1", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://10.0.0.1", false),
            ("https://example.org", false),
        ] {
            assert_eq!(
                Endpoint::new(url, "m").expect(url).is_local(),
                local,
                "{url}"
            );
        }
    }
}
