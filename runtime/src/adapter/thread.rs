//! Work that takes too long for an executor's thread, whatever executor it is.

use super::CandleAdapterError;
use super::error::ErrorText;

/// Runs something on a thread of its own and waits for it without blocking.
pub(super) async fn on_a_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CandleAdapterError> {
    let failed = CandleAdapterError::InferenceFailed;
    let (done, result) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || drop(done.send(work())))
        .map_err(|error| failed(ErrorText::caused_by(error)))?;
    result
        .await
        .map_err(|_| failed(format!("the thread `{name}` ended without a result").into()))
}
