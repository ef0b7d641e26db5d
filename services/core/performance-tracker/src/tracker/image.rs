//! The tracker's image: the market's own entities (`h/…`, `t/…`), one a portfolio (`b/<id>`) and one for each year of its
//! series (`y/<year, 5 digits>/<id>`). Nothing is shared.

use super::PerformanceTracker;
use super::book::Book;
use domain::{PortfolioId, SmolStr};
use engine::image::{from_bytes, to_bytes};
use engine::{Image, ImageError};

/// Years are written in keys from this one on, so that they sort.
const FIRST_YEAR: i32 = 50_000;

/// The key of a portfolio's book.
pub(super) fn book_key(portfolio: &PortfolioId) -> SmolStr {
    smol_str::format_smolstr!("b/{portfolio}")
}

/// The key of a year of a portfolio's series.
pub(super) fn year_key(portfolio: &PortfolioId, year: i16) -> SmolStr {
    smol_str::format_smolstr!("y/{:05}/{portfolio}", i32::from(year) + FIRST_YEAR)
}

fn parse_year(key: &str) -> Option<(PortfolioId, i16)> {
    let (year, portfolio) = key.strip_prefix("y/")?.split_once('/')?;
    let year = year.parse::<i32>().ok()?.checked_sub(FIRST_YEAR)?;
    Some((PortfolioId::new(portfolio).ok()?, i16::try_from(year).ok()?))
}

impl Image for PerformanceTracker {
    fn shared(&self) -> Vec<u8> {
        Vec::new()
    }
    fn restore_shared(&mut self, _bytes: &[u8]) -> Result<(), ImageError> {
        Ok(())
    }
    fn entity_keys(&self) -> Vec<SmolStr> {
        let books = self.books.keys().map(book_key);
        let years = self.books.iter().flat_map(|(id, book)| book.series().years().map(|year| year_key(id, year)));
        let mut keys: Vec<_> = books.chain(years).chain(self.market.entity_keys()).collect();
        keys.sort_unstable();
        keys
    }
    fn entity(&self, key: &str) -> Option<Vec<u8>> {
        if let Some(id) = key.strip_prefix("b/") {
            return self.books.get(id).map(to_bytes);
        }
        match parse_year(key) {
            Some((id, year)) => self.books.get(&id)?.series().year(year).map(to_bytes),
            None => self.market.entity(key),
        }
    }
    fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        if let Some(id) = key.strip_prefix("b/") {
            let id = PortfolioId::new(id).map_err(|error| ImageError::new(key, error))?;
            // Books come before years: b before y.
            self.books.insert(id, from_bytes::<Book>(key, bytes)?);
            return Ok(());
        }
        if let Some((id, year)) = parse_year(key) {
            let book = self.books.get_mut(&id).ok_or_else(|| ImageError::new(key, "a year without its book"))?;
            book.series_mut().restore(year, from_bytes(key, bytes)?);
            return Ok(());
        }
        if self.market.restore(key, bytes)? { Ok(()) } else { Err(ImageError::new(key, "no such entity")) }
    }
    fn restored(&mut self) -> Result<(), ImageError> {
        let due = self.books.iter().filter(|(_, book)| book.is_due());
        self.touched = due.map(|(id, _)| id.clone()).collect();
        Ok(())
    }
    fn take_dirty(&mut self) -> Vec<SmolStr> {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.append(&mut self.market.take_dirty());
        dirty.into_iter().collect()
    }
}
