//! What a contestant published, in one form: bookings by fill, and how positions and cash stood after them.

use crate::avro::{Schema, Value};
use crate::fills::number;
use anyhow::{Context, Result, bail};

/// Bytes before a record of the service: a mark and the schema's fingerprint.
const HEADER: usize = 10;

/// Who published it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The service: portfolio.ledger.v1, a record a portfolio and step.
    Ledger,
    /// A peer: booking.avsc, a record a fill.
    Booking,
}

/// A booked fill; units of eight and ten decimals.
pub struct Booked {
    /// Number of the fill.
    pub fill: u64,
    /// Signed change.
    pub quantity: i128,
    /// Profit before fees.
    pub realized: i128,
}

/// A position after a record; units of eight and ten decimals.
pub struct Stand<'a> {
    /// Instrument.
    pub instrument: &'a str,
    /// Signed quantity.
    pub quantity: i128,
    /// Cost.
    pub cost: i128,
    /// Profit before fees.
    pub realized: i128,
    /// Fees.
    pub fees: i128,
}

/// One record.
pub struct Output<'a> {
    /// Portfolio.
    pub portfolio: &'a str,
    /// In booking order.
    pub booked: Vec<Booked>,
    /// What it changed.
    pub stands: Vec<Stand<'a>>,
    /// Cash in US dollars, ten decimals.
    pub cash: i128,
}

/// Reads what one contestant publishes.
pub struct Outputs {
    format: Format,
    schema: Schema,
}

impl Format {
    /// By its name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "ledger" => Ok(Self::Ledger),
            "booking" => Ok(Self::Booking),
            other => bail!("{other} is neither ledger nor booking"),
        }
    }
}

impl Format {
    /// What each portfolio is paid in before the fills, in units of ten decimals: without cash its equity would be nothing, and
    /// the service would have much to say of its weights. The peers know no deposits.
    pub fn opening(self) -> i128 {
        if self == Self::Ledger { 1_000_000 * 10_i128.pow(10) } else { 0 }
    }
}

impl Outputs {
    /// A reader of a format.
    pub fn of(format: Format) -> Result<Self> {
        let text = match format {
            Format::Ledger => include_str!("../../../../../schemas/portfolio.ledger.v1.avsc"),
            Format::Booking => include_str!("../../booking.avsc"),
        };
        Ok(Self { format, schema: Schema::parse(text)? })
    }

    /// Reads a record and hands it to `visit`.
    pub fn read(&self, bytes: &[u8], visit: &mut dyn FnMut(&Output<'_>) -> Result<()>) -> Result<()> {
        match self.format {
            Format::Ledger => {
                let value = self.schema.read(bytes.get(HEADER..).context("a record has a header")?)?;
                visit(&ledger(&value)?)
            }
            Format::Booking => {
                let value = self.schema.read(bytes)?;
                visit(&booking(&value)?)
            }
        }
    }
}

fn ledger<'a>(value: &Value<'a>) -> Result<Output<'a>> {
    let entry = |entry: &Value<'_>| -> Result<Option<Booked>> {
        let cause = entry.field("cause")?;
        if cause.field("topic")?.text()? == "treasury.cash.v1" {
            return Ok(None);
        }
        let id = cause.field("id")?.text()?;
        Ok(Some(Booked {
            fill: number(id).with_context(|| format!("{id} is no fill of the load"))?,
            quantity: entry.field("quantity_change")?.units()?,
            realized: entry.field("realized_gross")?.units()?,
        }))
    };
    let stand = |position: &Value<'a>| -> Result<Stand<'a>> {
        Ok(Stand {
            instrument: position.field("instrument_id")?.text()?,
            quantity: position.field("quantity")?.units()?,
            cost: position.field("cost")?.units()?,
            realized: position.field("realized_gross")?.units()?,
            fees: dollars(position.field("fees")?)?,
        })
    };
    Ok(Output {
        portfolio: value.field("portfolio_id")?.text()?,
        booked: value.field("entries")?.list()?.iter().filter_map(|one| entry(one).transpose()).collect::<Result<_>>()?,
        stands: value.field("positions")?.list()?.iter().map(stand).collect::<Result<_>>()?,
        cash: dollars(value.field("cash")?)?,
    })
}

fn dollars(list: &Value<'_>) -> Result<i128> {
    for amount in list.list()? {
        if amount.field("currency")?.text()? == "USD" {
            return amount.field("amount")?.units();
        }
    }
    Ok(0)
}

fn booking<'a>(value: &Value<'a>) -> Result<Output<'a>> {
    let units = |name: &str| value.field(name)?.units();
    let id = value.field("exec_id")?.text()?;
    Ok(Output {
        portfolio: value.field("portfolio_id")?.text()?,
        booked: vec![Booked {
            fill: number(id).with_context(|| format!("{id} is no fill of the load"))?,
            quantity: units("quantity_change")?,
            realized: units("realized_gross")?,
        }],
        stands: vec![Stand {
            instrument: value.field("instrument_id")?.text()?,
            quantity: units("quantity")?,
            cost: crate::model::published(units("cost")?),
            realized: crate::model::published(units("realized_total")?),
            fees: units("fees_total")?,
        }],
        cash: units("cash")?,
    })
}
