//! A role that counts words: an entity for each word, which a word with a minus takes away. It publishes
//! nothing; what cannot be read is dead-lettered before it comes here.

use domain::{Input, PortfolioId, SmolStr, Timestamp, Topic};
use engine::{Context, Image, ImageError, Origin, Role, Settings, Timer, image};
use std::collections::{BTreeMap, BTreeSet};

/// The words after which a timer is set, so many seconds ahead.
const TIMERS: [(&str, i64); 2] = [("soon", 0), ("later", 10)];

#[derive(Debug, Default)]
pub struct Words {
    counts: BTreeMap<SmolStr, u64>,
    dirty: BTreeSet<SmolStr>,
    /// Topics in the order in which their records came.
    pub order: Vec<Topic>,
    /// Whether each window was behind.
    pub behind: Vec<bool>,
    steps_before: i64,
}

impl Words {
    /// How often a word came.
    pub fn count(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }
    fn hear(&mut self, word: &str) {
        let (key, gone) = word.strip_prefix('-').map_or((word, false), |key| (key, true));
        self.dirty.insert(key.into());
        if gone {
            self.counts.remove(key);
        } else {
            *self.counts.entry(key.into()).or_default() += 1;
        }
    }
}

pub fn portfolio() -> PortfolioId {
    PortfolioId::new("p").unwrap()
}

impl Image for Words {
    fn shared(&self) -> Vec<u8> {
        image::to_bytes(&self.steps_before)
    }
    fn restore_shared(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        self.steps_before = image::from_bytes("words", bytes)?;
        Ok(())
    }
    fn entity_keys(&self) -> Vec<SmolStr> {
        self.counts.keys().cloned().collect()
    }
    fn entity(&self, key: &str) -> Option<Vec<u8>> {
        self.counts.get(key).map(image::to_bytes)
    }
    fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        self.counts.insert(key.into(), image::from_bytes(key, bytes)?);
        Ok(())
    }
    fn take_dirty(&mut self) -> Vec<SmolStr> {
        std::mem::take(&mut self.dirty).into_iter().collect()
    }
}

impl Role for Words {
    type Ahead = ();
    const NAME: &'static str = "words";
    const INPUTS: &'static [Topic] = &[Topic::Frames, Topic::Policies, Topic::Refresh];
    const PROGRESS: Topic = Topic::RebalancerProgress;
    const OWN_OUTPUTS: &'static [Topic] = &[Topic::Snapshots];

    fn configure(&mut self, _settings: &Settings) {}
    fn begin_after(&mut self, step: i64) {
        self.steps_before = step;
    }
    fn fold(&mut self, input: Input, _ahead: (), origin: &Origin<'_>, cx: &mut Context<'_>) {
        self.order.push(origin.topic);
        match input {
            Input::Refresh(refresh) => {
                if let Some((word, ahead)) = TIMERS.iter().find(|(word, _)| refresh.why == *word) {
                    cx.timers.set(cx.now.plus_seconds(*ahead), 1, word);
                }
                self.hear(&refresh.why);
            }
            Input::Frame(_) => self.hear("frame"),
            _ => self.hear("policy"),
        }
    }
    fn refused(&mut self, _origin: &Origin<'_>, _portfolio: Option<&PortfolioId>, _cx: &mut Context<'_>) {
        self.hear("refused");
    }
    fn fire(&mut self, _timer: Timer, _cx: &mut Context<'_>) {
        self.hear("due");
    }
    fn decide(&mut self, cx: &mut Context<'_>) {
        self.behind.push(cx.behind);
    }
}

/// A moment so many seconds after the tests' first one.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_700_000_000 + seconds) * 1_000_000)
}
