//! Ctrl-C: what runs is dropped, and with it the files that are not whole yet; the exit code says so.

use std::future::Future;

use crate::error::CliError;

/// Presses of Ctrl-C from the moment of [`Interrupts::listen`] on, those that come before anybody waits for them too.
pub struct Interrupts(Option<Listener>);

#[cfg(unix)]
type Listener = tokio::signal::unix::Signal;
#[cfg(windows)]
type Listener = tokio::signal::windows::CtrlC;

impl Interrupts {
    /// Call it in a tokio runtime. Where the system refuses, there is nothing to wait for: Ctrl-C ends the process as ever.
    pub fn listen() -> Self {
        #[cfg(unix)]
        let listener = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
        #[cfg(windows)]
        let listener = tokio::signal::windows::ctrl_c();
        Self(listener.ok())
    }

    /// When Ctrl-C is pressed; presses between two waits count as one.
    pub async fn next(&mut self) {
        let pressed = match &mut self.0 {
            Some(listener) => listener.recv().await,
            None => None,
        };
        if pressed.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The work's result, or that Ctrl-C came first.
pub async fn or_interrupted<T>(
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let mut interrupts = Interrupts::listen();
    tokio::select! {
        result = work => result,
        () = interrupts.next() => Err(CliError::Interrupted),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_press_before_the_wait_is_kept() {
        let mut interrupts = Interrupts::listen();
        for _ in 0..2 {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::INT).expect("it runs");
            // Long enough for the runtime to have seen it before anybody waits.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            interrupts.next().await;
        }
    }
}
