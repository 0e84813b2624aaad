//! Runs a tool apart from the program: on a thread of its own, so that one that blocks, hangs or panics costs only its own call.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use crate::signature::{FieldValues, Tool, ToolError, Value};

/// Calls a tool and waits for it, at most as long as the limit.
///
/// A tool that awaits is dropped at its limit, and when this future is dropped. One that blocks its thread can't be stopped: it
/// is left to itself, and what it still does has no effect here.
pub(super) async fn run_tool(
    tool: &Arc<dyn Tool>,
    arguments: FieldValues,
    limit: Duration,
) -> Result<Value, ToolError> {
    let name = tool.name().to_owned();
    let (answer, answered) = oneshot::channel();
    // Dropped with this future.
    let (_cancel, cancelled) = oneshot::channel::<()>();
    let work = {
        let (tool, runtime) = (Arc::clone(tool), tokio::runtime::Handle::try_current().ok());
        move || {
            // A tool may use the timers and sockets of the runtime that the program runs in.
            let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
            let run = || match block_on(select(tool.call(arguments), pin!(cancelled))) {
                Either::Left((result, _)) => Some(result),
                Either::Right(_) => None,
            };
            catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
                Some(Err(ToolError::Panicked {
                    tool: tool.name().to_owned(),
                    message: said(&*panic),
                }))
            })
        }
    };
    let timed_out = ToolError::TimedOut {
        tool: name.clone(),
        limit,
    };
    let watched = move || {
        let (done, result) = mpsc::channel();
        spawn(move || drop(done.send(work())))?;
        let result = match result.recv_timeout(limit) {
            Ok(Some(result)) => result,
            Ok(None) | Err(_) => Err(timed_out),
        };
        // Nobody may wait any more.
        drop(answer.send(result));
        Ok::<(), std::io::Error>(())
    };
    let no_thread = |source: std::io::Error| ToolError::Failed {
        tool: name.clone(),
        source: Box::new(source),
    };
    spawn(move || drop(watched())).map_err(no_thread)?;
    match answered.await {
        Ok(result) => result,
        Err(_) => Err(no_thread(std::io::Error::other(
            "no thread could be started for it",
        ))),
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let thread = thread::Builder::new().name("candle-signature-tool".into());
    thread.spawn(work).map(drop)
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}

/// Waits for a future on this thread, whatever executor the program itself runs on.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
