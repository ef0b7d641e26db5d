//! What a bond has accrued: its price is clean, so that whoever trades it also pays what has accrued on it.
//! A tick gives it or keeps the last one. Nothing of other instruments is kept, and nothing is computed from dates.

use domain::enums::InstrumentType;
use domain::frame::Frame;
use domain::{FixedError, InstrumentId, Money, Price, Quantity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond {
    multiplier: Quantity,
    accrued: Price,
}

impl Bond {
    /// Accrued interest on so many units; `None` where nothing has accrued. Errors: beyond the wire's range.
    pub fn accrued_on(&self, quantity: Quantity) -> Result<Option<Money>, FixedError> {
        let amount = quantity.times(self.accrued)?.multiply(self.multiplier)?.to_money()?;
        if !amount.fits_wire() {
            return Err(FixedError::Overflow);
        }
        Ok(Some(amount).filter(|amount| *amount != Money::ZERO))
    }
}

/// The bonds that frames have named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bonds(BTreeMap<InstrumentId, Bond>);

impl Bonds {
    /// Takes over what a frame says of bonds.
    pub fn hear(&mut self, frame: &Frame) {
        for facts in frame.instruments.iter().filter(|facts| facts.kind == InstrumentType::Bond) {
            let bond =
                self.0.entry(facts.instrument_id.clone()).or_insert(Bond { multiplier: facts.multiplier, accrued: Price::default() });
            bond.multiplier = facts.multiplier;
        }
        for price in &frame.prices {
            if let (Some(bond), Some(accrued)) = (self.0.get_mut(&price.instrument_id), price.accrued) {
                bond.accrued = accrued;
            }
        }
    }
    /// The bond of that id.
    pub fn get(&self, instrument: &InstrumentId) -> Option<&Bond> {
        self.0.get(instrument)
    }
}
