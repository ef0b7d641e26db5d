//! The contract of a role, and what a role sees of the step that it runs in.
//! A role changes its own state and says what should happen; it does nothing itself.

use crate::codec::{Codec, Refusal};
use crate::image::Image;
use crate::settings::Settings;
use crate::stats::Stats;
use crate::timers::{Timer, Timers};
use crate::waiting::Waiter;
use domain::command::Header;
use domain::dead_letter::DeadLetter;
use domain::fill::FillRef;
use domain::reason::DeadLetterCode;
use domain::{Input, Output, PortfolioId, SmolStr, Timestamp, Topic};
use serde::{Deserialize, Serialize};

/// What an output of ours counts for while its bytes are not known yet.
const USUAL_BYTES: usize = 256;

/// A record as it lies in its topic, owned: kept while it waits, written whole into a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRecord {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Event time: the header `ce_time`, else the broker's time.
    pub timestamp: Timestamp,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Headers.
    pub headers: Vec<Header>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

/// A record as the shell hands it in, borrowed from the client's buffers.
pub trait RecordRef {
    /// Offset in its partition.
    fn offset(&self) -> i64;
    /// Event time: the header `ce_time`, else the broker's time.
    fn timestamp(&self) -> Timestamp;
    /// Key.
    fn key(&self) -> Option<&[u8]>;
    /// Value; `None` is a tombstone.
    fn value(&self) -> Option<&[u8]>;
    /// The newest header of that name.
    fn header(&self, name: &str) -> Option<&[u8]>;
    /// All headers, owned.
    fn headers(&self) -> Vec<Header>;
}

impl RecordRef for &dyn RecordRef {
    fn offset(&self) -> i64 {
        (**self).offset()
    }
    fn timestamp(&self) -> Timestamp {
        (**self).timestamp()
    }
    fn key(&self) -> Option<&[u8]> {
        (**self).key()
    }
    fn value(&self) -> Option<&[u8]> {
        (**self).value()
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        (**self).header(name)
    }
    fn headers(&self) -> Vec<Header> {
        (**self).headers()
    }
}

impl RecordRef for RawRecord {
    fn offset(&self) -> i64 {
        self.offset
    }
    fn timestamp(&self) -> Timestamp {
        self.timestamp
    }
    fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }
    fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().rev().find(|h| h.name == name).map(|h| h.value.as_slice())
    }
    fn headers(&self) -> Vec<Header> {
        self.headers.clone()
    }
}

/// Where a record came from, with its bytes at hand.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// The record itself.
    pub record: &'a dyn RecordRef,
}

/// A key for people; a record without one has none that could be shown.
pub fn key_shown(key: Option<&[u8]>) -> String {
    let Some(key) = key else { return "null".to_owned() };
    format!("{:?}", String::from_utf8_lossy(key).chars().take(128).collect::<String>())
}

impl Origin<'_> {
    /// Offset in its partition.
    pub fn offset(&self) -> i64 {
        self.record.offset()
    }
    /// Event time.
    pub fn timestamp(&self) -> Timestamp {
        self.record.timestamp()
    }
    /// The record, owned: to let it wait.
    pub fn to_raw(&self) -> RawRecord {
        RawRecord {
            topic: self.topic,
            partition: self.partition,
            offset: self.record.offset(),
            timestamp: self.record.timestamp(),
            key: self.record.key().map(<[u8]>::to_vec),
            headers: self.record.headers(),
            value: self.record.value().map(<[u8]>::to_vec),
        }
    }
}

/// The step as a role sees it: the window's clock, and where its wishes go.
pub struct Context<'a> {
    /// The window's clock: never goes back.
    pub now: Timestamp,
    /// Whether the lane is behind its inputs: nothing that leaves the house may be decided.
    pub behind: bool,
    /// Number of this lane.
    pub lane: i32,
    /// Number of lanes.
    pub lanes: i32,
    /// Settings of the core.
    pub settings: &'a Settings,
    /// Timers of the lane.
    pub timers: &'a mut Timers,
    /// Next offset of each input as of this window's end, by topic and partition (frames included).
    pub positions: &'a std::collections::BTreeMap<(Topic, i32), i64>,
    pub(crate) outputs: &'a mut Vec<Output>,
    pub(crate) bytes: &'a mut usize,
    pub(crate) codec: &'a mut dyn Codec,
    pub(crate) counts: &'a mut Counts,
    pub(crate) known: &'a mut std::collections::BTreeMap<Topic, i64>,
}

/// What a step did with its inputs, for metrics and for the balance of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records read, repeats of our own outputs and frames that do not count included.
    pub inputs: i64,
    /// Records whose id was known with the same content.
    pub duplicates: i64,
    /// Records dead-lettered.
    pub dead_letters: i64,
    /// Our own outputs seen again.
    pub repeats: i64,
    /// Frames outside the chain.
    pub stray_frames: i64,
}

/// Room beside an input's value for its key and headers, in a dead letter that carries it whole. As much again
/// is left for the headers that say why.
const CARRIED_BESIDE: usize = 32 * 1024;
/// What a broker and the dead letter's own naming add to each header.
const HEADER_FRAME: usize = 32;
/// The longest text of a dead letter, in bytes.
const LETTER_TEXT: usize = 8 * 1024;
/// The longest name of a header that is carried: the frames' codec takes no longer texts.
const HEADER_NAME: usize = 1024;

impl RawRecord {
    /// The record as a dead letter carries it. One that no producer could have sent uncompressed would not fit
    /// into a dead letter either: of it the place, the length and a hash are left, and the refusal says so. So it does
    /// where a header of an endless name is left out.
    pub fn carried(mut self, mut refusal: Refusal) -> (Self, Refusal) {
        let (bytes, headers) = (self.bytes(), self.headers.len());
        self.headers.retain(|header| header.name.len() <= HEADER_NAME);
        if self.headers.len() < headers {
            let gone = headers - self.headers.len();
            let left_out = format!(" ({gone} of its headers left out: their names have more than {HEADER_NAME} bytes)");
            refusal.text = SmolStr::new(cut(&refusal.text, LETTER_TEXT - left_out.len()).to_owned() + &left_out);
        }
        if bytes > self.topic.record_bytes() + CARRIED_BESIDE {
            let value = self.value.as_deref().unwrap_or_default();
            let left_out = format!(
                " (too large to be carried: its value has {} bytes, xxh3-128 {:032x}; read it at its place)",
                value.len(),
                xxhash_rust::xxh3::xxh3_128(value)
            );
            refusal.text = SmolStr::new(cut(&refusal.text, LETTER_TEXT - left_out.len()).to_owned() + &left_out);
            (self.key, self.headers, self.value) = (None, Vec::new(), None);
        } else if refusal.text.len() > LETTER_TEXT {
            refusal.text = SmolStr::new(cut(&refusal.text, LETTER_TEXT));
        }
        (self, refusal)
    }

    /// About how many bytes it takes in a log: key, value, and headers with their frame.
    pub fn bytes(&self) -> usize {
        let beside: usize = self.headers.iter().map(|header| header.name.len() + header.value.len() + HEADER_FRAME).sum();
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len) + beside
    }
}

/// The beginning of a text, at most so many bytes of it.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// About how many bytes an output takes in a log: an estimate by its lines, from above where they are many.
fn about_bytes(output: &Output) -> usize {
    let lines = match output {
        Output::Drift(drift) => drift.lines.len() * 2 + drift.recent_orders.len(),
        Output::Snapshot(snapshot) => snapshot.allocations.len() + snapshot.strategies.len(),
        Output::PortfolioClose(close) => close.positions.len() + close.currencies.len(),
        Output::Performance(record) => {
            record.metrics.len() + record.attribution.iter().map(|grouping| grouping.buckets.len()).sum::<usize>()
        }
        Output::Risk(risk) => risk.metrics.len() + risk.components.len() + risk.correlations.len() / 2 + risk.sector_exposure.len() / 2,
        Output::OrderWave(wave) => wave.orders.len() * 3,
        Output::RebalanceEvent(event) => event.explanation.len() * 2 + event.orders.len() * 3,
        _ => 0,
    };
    USUAL_BYTES * (1 + lines)
}

impl Context<'_> {
    /// Publishes a record with this step.
    pub fn emit(&mut self, output: Output) {
        *self.bytes += about_bytes(&output);
        self.outputs.push(output);
    }
    /// Dead-letters a record, whole where it has a size that its topic admits.
    pub fn dead_letter(&mut self, raw: RawRecord, portfolio_id: Option<PortfolioId>, refusal: Refusal) {
        let (raw, refusal) = raw.carried(refusal);
        self.counts.dead_letters += 1;
        *self.bytes += USUAL_BYTES + raw.bytes();
        self.outputs.push(Output::DeadLetter(Box::new(DeadLetter {
            topic: raw.topic,
            partition: raw.partition,
            offset: raw.offset,
            code: refusal.code,
            text: refusal.text,
            portfolio_id,
            timestamp: raw.timestamp,
            key: raw.key,
            headers: raw.headers,
            value: raw.value,
        })));
    }
    /// Dead-letters the record at hand.
    pub fn refuse(&mut self, origin: &Origin<'_>, portfolio_id: Option<PortfolioId>, code: DeadLetterCode, text: impl AsRef<str>) {
        self.dead_letter(origin.to_raw(), portfolio_id, Refusal { code, text: SmolStr::new(text.as_ref()) });
    }
    /// Counts a record of a topic whose id was known with the same content.
    pub fn count_duplicate(&mut self, topic: Topic) {
        self.counts.duplicates += 1;
        *self.known.entry(topic).or_default() += 1;
    }
    /// Reads a record that waited, or that a command carries back in.
    pub fn decode(&mut self, raw: &RawRecord) -> Result<Input, Refusal> {
        self.codec.decode(raw.topic, raw.key.as_deref(), raw.value.as_deref())
    }
}

/// A role: the rules of one service, as a machine that a lane runs.
///
/// Within a window the lane calls `fire` for every timer due, in (due, kind, id) order; then `fold`
/// for every record, topic by topic in the order of `INPUTS`, by offset; then `decide` once. Before a
/// step is committed it calls `close_step`. `step_full` ends a step early.
///
/// Records are folded in short blocks of one topic: `look_ahead` sees each of a block before the first is folded.
pub trait Role: Image {
    /// What is told of a record ahead of its fold.
    type Ahead: Default;

    /// Name, as in topic and transaction ids.
    const NAME: &'static str;
    /// Inputs in the order in which a window folds them.
    const INPUTS: &'static [Topic];
    /// The role's progress topic.
    const PROGRESS: Topic;
    /// How many depths of memory `touch` knows.
    const DEPTHS: usize = 0;
    /// Waiting records that are named at most: a name each for thousands would tell nobody anything.
    const NAMED: usize = 100;
    /// Topics in which no other role writes: what stands in a lane's partition of them is of its own steps.
    const OWN_OUTPUTS: &'static [Topic] = &[];
    /// Inputs that another role reads too, and whose unreadable and misfiled records that one dead-letters: a record
    /// gets one letter.
    const REPORTED_ELSEWHERE: &'static [Topic] = &[];

    /// Takes settings over; called before the first window and whenever they change.
    fn configure(&mut self, settings: &Settings);
    /// The lane begins anew where an earlier life of it stood at `step`: numbers that ids are made of go on
    /// above what that life can have used: of what is counted once a step, `step`; of what may come several times
    /// in one, a large multiple.
    fn begin_after(&mut self, _step: i64) {}
    /// What of a record can be told before those that stand ahead of it in its block are folded: its own checks and
    /// hashes, and what no record of its topic changes.
    fn look_ahead(&mut self, _input: &Input) -> Self::Ahead {
        Self::Ahead::default()
    }
    /// The same of a fill that is only viewed; `None` where it is to be decoded.
    fn look_ahead_at_fill(&mut self, _fill: &FillRef<'_>) -> Option<Self::Ahead> {
        None
    }
    /// Reads what folding the record will read, so that it lies near when it is needed. It changes nothing. All records of a
    /// block are touched once at each depth below `DEPTHS`: each reads what the one before led to, so that the processor
    /// fetches for many records at once.
    fn touch(&self, _ahead: &Self::Ahead, _depth: usize) {}
    /// Takes one record in.
    fn fold(&mut self, input: Input, ahead: Self::Ahead, origin: &Origin<'_>, cx: &mut Context<'_>);
    /// Takes a viewed fill in. False where it took nothing in and changed nothing: it is then decoded, looked at and folded
    /// as any other record.
    fn fold_fill(&mut self, _fill: &FillRef<'_>, _ahead: Self::Ahead, _origin: &Origin<'_>, _cx: &mut Context<'_>) -> bool {
        false
    }
    /// A record of this role's inputs was dead-lettered before it reached `fold` (undecodable, wrong lane).
    /// `portfolio` is its key, when that belongs to this lane.
    fn refused(&mut self, origin: &Origin<'_>, portfolio: Option<&PortfolioId>, cx: &mut Context<'_>);
    /// A timer is due.
    fn fire(&mut self, timer: Timer, cx: &mut Context<'_>);
    /// Every record of the window is in: decide on the newest state.
    fn decide(&mut self, cx: &mut Context<'_>);
    /// The step is about to be committed: outputs published here stand ahead of all others. Each is encoded before the
    /// next one is made, so that thousands of them never lie in memory together. Who publishes here says so in
    /// `holds_outputs`.
    fn close_step(&mut self, _publish: &mut dyn FnMut(Output)) {}
    /// Whether `close_step` would publish something now: a step with outputs is not left to wait for others.
    fn holds_outputs(&self) -> bool {
        false
    }
    /// What records of the open window have cost beyond the usual, in bookings that were folded again. A window that
    /// has cost [`crate::lane::WINDOW_COST`] ends before its next record.
    fn cost(&self) -> u64 {
        0
    }
    /// Whether the step must be closed now, because a record of it grows too large.
    fn step_full(&self) -> bool {
        false
    }
    /// How the state stands at `now`, for gauges. Asked for once a second: cheap beside a window.
    fn stats(&self, _now: Timestamp) -> Stats {
        Stats::default()
    }
    /// The records that have held up a queue for longest, oldest first, at most [`Self::NAMED`]: for people. Asked
    /// for as often.
    fn waiters(&self) -> Vec<Waiter> {
        Vec::new()
    }
    /// No more input will come (replay of a file): publish what a timer would publish later.
    fn finish(&mut self, _cx: &mut Context<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::key_shown;

    #[test]
    fn no_key_is_not_an_empty_one() {
        assert_eq!([key_shown(None), key_shown(Some(b"")), key_shown(Some(b"P\n"))], ["null", "\"\"", "\"P\\n\""]);
    }
}
