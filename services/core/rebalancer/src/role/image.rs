//! The rebalancer's image: one entity for each portfolio's desk; halts and the commands without a
//! portfolio are shared.

use super::Rebalancer;
use domain::{PortfolioId, SmolStr};
use engine::image::{from_bytes, to_bytes};
use engine::{Image, ImageError};

impl Image for Rebalancer {
    fn shared(&self) -> Vec<u8> {
        to_bytes(&(self.first, &self.halts, &self.known))
    }
    fn restore_shared(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        (self.first, self.halts, self.known) = from_bytes("the rebalancer's halts", bytes)?;
        Ok(())
    }
    fn entity_keys(&self) -> Vec<SmolStr> {
        self.desks.keys().map(|portfolio| SmolStr::new(portfolio.as_str())).collect()
    }
    fn entity(&self, key: &str) -> Option<Vec<u8>> {
        self.desks.get(key).map(to_bytes)
    }
    fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        let what = format!("the desk of portfolio {key:?}");
        let portfolio = PortfolioId::new(key).map_err(|error| ImageError::new(&what, error))?;
        self.desks.insert(portfolio, from_bytes(&what, bytes)?);
        Ok(())
    }
    fn restored(&mut self) -> Result<(), ImageError> {
        self.held = self.desks.iter().filter(|(_, desk)| desk.held).map(|(portfolio, _)| portfolio.clone()).collect();
        Ok(())
    }
    fn take_dirty(&mut self) -> Vec<SmolStr> {
        std::mem::take(&mut self.dirty).into_iter().collect()
    }
}
