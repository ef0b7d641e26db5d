//! What the engine asks of an encoding. The engine never looks into bytes itself.

use domain::fill::FillRef;
use domain::progress::Recorded;
use domain::reason::DeadLetterCode;
use domain::{Input, Output, SmolStr, Topic};

/// Why bytes or a record were refused: a code and a text that says what, where and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The dead letter's code.
    pub code: DeadLetterCode,
    /// The dead letter's text.
    pub text: SmolStr,
}

impl Refusal {
    /// A refusal with a text.
    #[cold]
    #[inline(never)]
    pub fn new(code: DeadLetterCode, text: impl AsRef<str>) -> Self {
        Self { code, text: SmolStr::new(text.as_ref()) }
    }
}

/// Bytes to records and back.
pub trait Codec {
    /// The record that the key and value of a topic hold. A null value is `None`.
    fn decode(&mut self, topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal>;
    /// The fill that the value of a record of [`Topic::Fills`] holds, its texts left in the bytes. `None` says nothing of
    /// the record: it is to be decoded. What is viewed is what decoding gives.
    fn view_fill<'a>(&mut self, _value: &'a [u8]) -> Option<FillRef<'a>> {
        None
    }
    /// Appends the value bytes of an output. Dead letters append their original value.
    /// An output that its schema cannot hold is a fault of this service, not of an input: it returns why.
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal>;
    /// Writers' schemas that it knows besides the build's own, as progress records them.
    fn known(&self) -> Vec<Recorded> {
        Vec::new()
    }
    /// Takes in a schema that progress recorded; one that is known already changes nothing.
    fn learn(&mut self, _schema: &Recorded) -> Result<(), Refusal> {
        Ok(())
    }
    /// The past has been replayed: takes in the schemas that are configured now, which it did not know.
    fn go_live(&mut self) {}
}
