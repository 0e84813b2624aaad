//! The `LM` that `dspy_rs::configure` insists on, for an adapter that never asks it.

use dspy_rs::LM;

use crate::adapter::CandleAdapter;

use super::DspyError;

/// Where [`local_lm`] points: the discard port of this machine. What of dspy-rs passes the adapter by ends there with a refused
/// connection that names this address, and leaves the machine by no way.
pub const BYPASSED: &str = "http://127.0.0.1:9/the-adapter-was-bypassed";

/// The `LM` to configure beside the adapter. It needs no key and opens no connection; the adapter generates.
///
/// Temperature and token limit are the adapter's, to be read by whoever looks at the `LM`: setting them here changes
/// nothing, [`CandleConfig`](crate::adapter::CandleConfig) is the place. The cache is off, as its key leaves the
/// signature out.
///
/// # Errors
/// [`DspyError::Lm`] if dspy-rs can't make the HTTP client.
pub async fn local_lm(adapter: &CandleAdapter) -> Result<LM, DspyError> {
    let config = adapter.config();
    LM::builder()
        .base_url(BYPASSED.into())
        .model("candle-signature".into())
        .temperature(config.temperature)
        .max_tokens(u32::try_from(config.max_tokens).unwrap_or(u32::MAX))
        .cache(false)
        .build()
        .await
        .map_err(|error| DspyError::Lm(error.to_string()))
}

/// The `LM` of an OpenAI-compatible endpoint, such as that of the feature `serve`: the way to a local model for
/// what of dspy-rs passes every adapter by, the proposers of its optimizers. `base_url` ends in `/v1`, `model` is a name that the endpoint knows.
///
/// rig 0.22 beneath dspy-rs leaves `max_tokens` out of its requests, so that the endpoint's own holds. The cache is off.
///
/// # Errors
/// [`DspyError::Lm`] if dspy-rs can't make the HTTP client.
pub async fn endpoint_lm(
    base_url: impl Into<String>,
    model: impl Into<String>,
    api_key: Option<&str>,
) -> Result<LM, DspyError> {
    // A key that the endpoint does not ask for is not looked at.
    LM::builder()
        .base_url(base_url.into())
        .api_key(api_key.unwrap_or("none").into())
        .model(model.into())
        .cache(false)
        .build()
        .await
        .map_err(|error| DspyError::Lm(error.to_string()))
}
