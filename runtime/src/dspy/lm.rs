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
