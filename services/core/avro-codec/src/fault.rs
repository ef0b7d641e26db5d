//! What a reader or a writer found wrong with one field: small and `Copy`, so that the fast path
//! carries no allocation. It does not know the topic; [`crate::CodecError`] adds that.

/// The kind of a fault in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The bytes end inside the field.
    Short,
    /// Bytes are left over behind the record.
    Trailing,
    /// A variable-length integer of more than 10 bytes, beyond its type, or padded.
    Integer,
    /// A boolean that is neither 0 nor 1.
    Boolean,
    /// A union branch that the schema does not have.
    Branch,
    /// An enum position that the schema does not have.
    Symbol,
    /// A negative length, or one beyond the limit of texts or bytes.
    Length,
    /// More items than the limit of arrays, or than bytes are left.
    Items,
    /// An array block whose items do not fill the size that it gives.
    Block,
    /// A text that is not UTF-8.
    Utf8,
    /// A text that is no id.
    Id,
    /// A text that is no currency code.
    Currency,
    /// A text that is no UUID of 36 characters.
    Uuid,
    /// A text that names no topic of the service.
    Topic,
    /// A decimal of more than 28 digits.
    Decimal,
    /// A moment before the first or after the last that can be told.
    Time,
    /// A day outside the years 1 to 9999.
    Day,
}

impl FaultKind {
    /// What is wrong, as the end of a sentence that begins with the field's name.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Short => "is cut off",
            Self::Trailing => "is followed by bytes that belong to no field",
            Self::Integer => "is no integer of its type",
            Self::Boolean => "is neither true nor false",
            Self::Branch => "has a union branch that the schema does not have",
            Self::Symbol => "has a symbol that the schema does not have",
            Self::Length => "has a length that is negative or beyond the limit",
            Self::Items => "has more items than the limit, or than the record holds",
            Self::Block => "has a block whose items do not fill its size",
            Self::Utf8 => "is not UTF-8",
            Self::Id => "is no id: 1 to 128 bytes without control characters",
            Self::Currency => "is no currency: 2 to 12 characters of A-Z and 0-9",
            Self::Uuid => "is no UUID of 36 characters",
            Self::Topic => "names no topic of this service",
            Self::Decimal => "has more than 28 digits",
            Self::Time => "lies outside 0001-01-01T00:00:00Z to 9999-12-30T22:00:00Z",
            Self::Day => "lies outside the years 1 to 9999",
        }
    }
}

/// A fault, and the innermost field that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The field, as the domain names it; empty for the record itself.
    pub field: &'static str,
}

impl Fault {
    /// A fault of a field that the caller names.
    #[cold]
    pub(crate) fn new(kind: FaultKind) -> Self {
        Self { kind, field: "" }
    }
    /// The same with the field's name, where it has none yet.
    #[cold]
    pub(crate) fn in_field(mut self, field: &'static str) -> Self {
        if self.field.is_empty() {
            self.field = field;
        }
        self
    }
}
