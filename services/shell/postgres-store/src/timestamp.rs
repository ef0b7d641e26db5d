//! Moments as whole microseconds, on the wire as Postgres' `timestamptz`.
//!
//! Promises: exact both ways within Postgres' range; a moment outside it is cut to the nearest end,
//! because a hostile timestamp must not block the projector. Does not know a calendar.

use serde::{Deserialize, Serialize};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Micros(pub i64);

/// 2000-01-01, from which Postgres counts.
const PG_EPOCH: i64 = 946_684_800_000_000;
/// 4714-11-24 BC and the first instant after 294276 AD, as Postgres counts.
const PG_FIRST: i64 = -211_813_488_000_000_000;
const PG_END: i64 = 9_223_371_331_200_000_000;
const TIMESTAMPTZ: Oid = Oid(1184);
const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);

impl Micros {
    /// The midnight of UTC before it, or it itself where it is one.
    pub(crate) fn start_of_day(self) -> Self {
        const DAY: i64 = 86_400_000_000;
        Micros(self.0.saturating_sub(self.0.rem_euclid(DAY)))
    }

    fn to_pg(self) -> i64 {
        self.0.saturating_sub(PG_EPOCH).clamp(PG_FIRST, PG_END - 1)
    }
}

impl Type<Postgres> for Micros {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl PgHasArrayType for Micros {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
    }
}

impl Encode<'_, Postgres> for Micros {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.to_pg(), buf)
    }
}

impl<'r> Decode<'r, Postgres> for Micros {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => {
                let micros = <i64 as Decode<Postgres>>::decode(value)?;
                Ok(Micros(micros.saturating_add(PG_EPOCH)))
            }
            PgValueFormat::Text => Err("timestamps are read from prepared statements only".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_the_millennium_and_stays_in_range() {
        assert_eq!(Micros(PG_EPOCH).to_pg(), 0);
        assert_eq!(Micros(0).to_pg(), -PG_EPOCH);
        assert_eq!(Micros(i64::MIN).to_pg(), PG_FIRST);
        assert!(Micros(i64::MAX).to_pg() < PG_END);
    }
}
