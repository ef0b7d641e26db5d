//! The word to a producer that what waits in it may leave, in the time of a thread of its own.
//!
//! librdkafka looks without a pause after messages that have lingered long enough and stand behind a batch that is under
//! way (`services/decisions/0081-a-round-is-a-batch.md`). So messages linger for long, and leave when they are told to. A
//! flush tells them for as long as it waits; whoever serves the producer's reports must not wait meanwhile, since it ends
//! when they are served. It decides nothing about what is sent, and serves nothing.

use crate::{NO_PANIC, native};
use rdkafka::producer::{BaseProducer, ProducerContext};
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a word holds. What was there when it was said is under way by then; a client that could not send it
/// needs another one.
pub(crate) const HOLDS: Duration = Duration::from_millis(50);

/// The thread; it ends with this.
pub(crate) struct Hurry {
    words: Option<SyncSender<()>>,
    holding: Arc<Holding>,
    thread: Option<JoinHandle<()>>,
}

/// How many words were said and hold, or wait to.
#[derive(Default)]
struct Holding {
    words: Mutex<usize>,
    fewer: Condvar,
}

impl Hurry {
    /// Starts it for a producer.
    pub(crate) fn new<C: ProducerContext + 'static>(producer: Arc<BaseProducer<C>>) -> io::Result<Self> {
        let (words, heard) = sync_channel(1);
        let holding = Arc::new(Holding::default());
        let told = {
            let holding = Arc::clone(&holding);
            move || {
                while heard.recv().is_ok() {
                    native::flush(&producer, HOLDS);
                    *holding.words.lock().expect(NO_PANIC) -= 1;
                    holding.fewer.notify_all();
                }
            }
        };
        let thread = thread::Builder::new().name("producer hurry".to_owned()).spawn(told)?;
        Ok(Self { words: Some(words), holding, thread: Some(thread) })
    }

    /// Has all that waits leave.
    pub(crate) fn tell(&self) {
        let Some(words) = &self.words else { return };
        let mut holding = self.holding.words.lock().expect(NO_PANIC);
        // Where a word waits already, it is for this as well.
        if words.try_send(()).is_ok() {
            *holding += 1;
        }
    }

    /// Waits until no word holds: what is sent while one does leaves at once, and the rest of its round would stand behind
    /// it.
    pub(crate) fn settle(&self) {
        let holding = self.holding.words.lock().expect(NO_PANIC);
        drop(self.holding.fewer.wait_while(holding, |words| *words > 0).expect(NO_PANIC));
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        self.words = None;
        _ = self.thread.take().map(JoinHandle::join);
    }
}
