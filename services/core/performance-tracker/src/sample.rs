//! A series of returns, checked, with what stands beside it: dates, benchmark, risk-free rates. NaN, infinity
//! and series of unequal lengths are refused by name and row; after that a figure need not look.

use crate::numeric::moments::enough;
use crate::settings::Settings;
use crate::undefined::{Undefined, finite};
use domain::Date;
use std::ops::Range;

/// A series or a setting cannot be used. Rows count from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidSeries {
    /// A value is NaN or infinite.
    #[error("row {row} of {series} is {value}, which is no finite number")]
    NotFinite {
        /// Name of the series.
        series: &'static str,
        /// Row from 1.
        row: usize,
        /// What stands there.
        value: f64,
    },
    /// A series is not as long as the returns.
    #[error("{series} has {have} rows and the returns have {need}")]
    Length {
        /// Name of the series.
        series: &'static str,
        /// Its rows.
        have: usize,
        /// Rows of the returns.
        need: usize,
    },
    /// Dates do not rise.
    #[error("row {row} is dated {date}, and the row before it {before}: dates must rise")]
    Order {
        /// Row from 1.
        row: usize,
        /// Its date.
        date: Date,
        /// The date before it.
        before: Date,
    },
    /// A setting lies outside its range.
    #[error("{name} cannot be {value}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: f64,
    },
}

/// Refuses what is not finite, by row.
pub fn all_finite(series: &'static str, values: &[f64]) -> Result<(), InvalidSeries> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(InvalidSeries::NotFinite { series, row: at + 1, value: values[at] }),
        None => Ok(()),
    }
}

/// Refuses dates that do not rise, by row.
pub fn rising(dates: &[Date]) -> Result<(), InvalidSeries> {
    match dates.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(at) => Err(InvalidSeries::Order { row: at + 2, date: dates[at + 1], before: dates[at] }),
        None => Ok(()),
    }
}

/// Simple returns of equal periods, in their order, as fractions.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    returns: &'a [f64],
    dates: Option<&'a [Date]>,
    opening: Option<Date>,
    benchmark: Option<&'a [f64]>,
    risk_free: Option<&'a [f64]>,
    settings: Settings,
}

impl<'a> Sample<'a> {
    /// A series of finite returns, with the settings as they are by default.
    pub fn new(returns: &'a [f64]) -> Result<Self, InvalidSeries> {
        all_finite("returns", returns)?;
        Ok(Self { returns, dates: None, opening: None, benchmark: None, risk_free: None, settings: Settings::default() })
    }

    /// With the last day of each return's period.
    pub fn dated(self, dates: &'a [Date]) -> Result<Self, InvalidSeries> {
        self.fits("dates", dates.len())?;
        rising(dates)?;
        Ok(Self { dates: Some(dates), ..self })
    }

    /// With the day on which the first return's period began: the day of the first value.
    pub const fn opened(self, day: Date) -> Self {
        Self { opening: Some(day), ..self }
    }

    /// With the benchmark's returns of the same periods.
    pub fn against(self, benchmark: &'a [f64]) -> Result<Self, InvalidSeries> {
        self.fits("benchmark", benchmark.len())?;
        all_finite("benchmark", benchmark)?;
        Ok(Self { benchmark: Some(benchmark), ..self })
    }

    /// With the risk-free return of each period, in place of the annual rate of the settings.
    pub fn with_risk_free(self, rates: &'a [f64]) -> Result<Self, InvalidSeries> {
        self.fits("risk_free", rates.len())?;
        all_finite("risk_free", rates)?;
        Ok(Self { risk_free: Some(rates), ..self })
    }

    /// With settings of its own.
    pub fn with(self, settings: Settings) -> Result<Self, InvalidSeries> {
        Ok(Self { settings: settings.checked()?, ..self })
    }

    fn fits(&self, series: &'static str, have: usize) -> Result<(), InvalidSeries> {
        let need = self.returns.len();
        if have == need { Ok(()) } else { Err(InvalidSeries::Length { series, have, need }) }
    }

    /// The same sample over some of its rows only.
    pub fn window(&self, rows: Range<usize>) -> Self {
        let cut = |series: &'a [f64]| &series[rows.clone()];
        let opening = match (rows.start, self.dates) {
            (0, _) => self.opening,
            (start, Some(dates)) => Some(dates[start - 1]),
            _ => None,
        };
        Self {
            returns: cut(self.returns),
            dates: self.dates.map(|dates| &dates[rows.clone()]),
            opening,
            benchmark: self.benchmark.map(cut),
            risk_free: self.risk_free.map(cut),
            settings: self.settings,
        }
    }

    /// Returns, a fraction a period.
    pub const fn returns(&self) -> &'a [f64] {
        self.returns
    }
    /// Observations.
    pub const fn len(&self) -> usize {
        self.returns.len()
    }
    /// Whether there are no observations.
    pub const fn is_empty(&self) -> bool {
        self.returns.is_empty()
    }
    /// Settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
    /// Periods in a year.
    pub const fn periods(&self) -> f64 {
        self.settings.periods_per_year
    }
    /// Last days of the periods.
    pub fn dates(&self) -> Result<&'a [Date], Undefined> {
        self.dates.ok_or(Undefined::NoDates)
    }
    /// The day of the first value, where it is known.
    pub const fn opening(&self) -> Option<Date> {
        self.opening
    }
    /// The benchmark's returns.
    pub fn benchmark(&self) -> Result<&'a [f64], Undefined> {
        self.benchmark.ok_or(Undefined::NoBenchmark)
    }

    /// Calendar days from the first value, else from the first dated return, to the last return.
    pub fn days(&self) -> Option<i64> {
        let dates = self.dates?;
        let first = self.opening.or(dates.first().copied())?;
        Some(i64::from(dates.last()?.days()) - i64::from(first.days()))
    }

    /// Whether it spans less than a year: 365 calendar days, or without dates the periods of a year.
    pub fn is_under_a_year(&self) -> bool {
        self.days().map_or((self.len() as f64) < self.periods(), |days| days < 365)
    }

    /// The risk-free return of a period by its row.
    pub fn risk_free(&self, row: usize) -> f64 {
        self.risk_free.map_or_else(|| per_period(self.settings.risk_free_annual, self.periods()), |rates| rates[row])
    }

    /// Mean risk-free return of a period, made annual by compounding: the rate of the settings where there is no series.
    pub fn risk_free_annual(&self) -> Result<f64, Undefined> {
        match self.risk_free {
            None => Ok(self.settings.risk_free_annual),
            Some(rates) => finite(libm::pow(crate::returns::growth(rates)?, self.periods() / rates.len() as f64) - 1.0),
        }
    }

    /// Returns above the risk-free rate.
    pub fn excess(&self) -> Vec<f64> {
        self.above_risk_free(self.returns)
    }

    /// The benchmark's returns above the risk-free rate.
    pub fn benchmark_excess(&self) -> Result<Vec<f64>, Undefined> {
        self.benchmark().map(|benchmark| self.above_risk_free(benchmark))
    }

    fn above_risk_free(&self, series: &[f64]) -> Vec<f64> {
        if self.risk_free.is_none() {
            let rate = self.risk_free(0);
            return series.iter().map(|one| one - rate).collect();
        }
        series.iter().enumerate().map(|(row, one)| one - self.risk_free(row)).collect()
    }

    /// Returns above the benchmark's.
    pub fn active(&self) -> Result<Vec<f64>, Undefined> {
        Ok(self.returns.iter().zip(self.benchmark()?).map(|(own, other)| own - other).collect())
    }

    /// Returns above the minimum acceptable one.
    pub fn above_minimum(&self) -> Vec<f64> {
        self.returns.iter().map(|one| one - self.settings.minimum_acceptable).collect()
    }

    /// Refuses a sample with fewer observations.
    pub fn needs(&self, observations: usize) -> Result<(), Undefined> {
        enough(self.len(), observations)
    }
}

/// The rate of a period that compounds to an annual rate: (1 + annual)^(1/periods) - 1.
pub fn per_period(annual: f64, periods: f64) -> f64 {
    if annual == 0.0 { 0.0 } else { libm::expm1(libm::log1p(annual) / periods) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_no_number_is_refused_by_row() {
        let error = Sample::new(&[0.1, f64::NAN]).unwrap_err();
        assert_eq!(error.to_string(), "row 2 of returns is NaN, which is no finite number");
        let sample = Sample::new(&[0.1, 0.2]).unwrap();
        assert!(sample.against(&[0.1, f64::INFINITY]).unwrap_err().to_string().starts_with("row 2 of benchmark is inf"));
        assert_eq!(sample.against(&[0.1]).unwrap_err().to_string(), "benchmark has 1 rows and the returns have 2");
        let dates = [day("2026-01-06"), day("2026-01-05")];
        assert_eq!(
            sample.dated(&dates).unwrap_err().to_string(),
            "row 2 is dated 2026-01-05, and the row before it 2026-01-06: dates must rise"
        );
        let settings = Settings { confidence: 1.0, ..Settings::default() };
        assert_eq!(sample.with(settings).unwrap_err().to_string(), "confidence cannot be 1");
    }

    #[test]
    fn a_year_is_365_days_or_its_periods() {
        let returns = [0.0; 3];
        let dates = [day("2025-01-31"), day("2025-06-30"), day("2026-01-05")];
        let sample = Sample::new(&returns).unwrap();
        assert!(sample.is_under_a_year() && sample.dated(&dates).unwrap().is_under_a_year());
        assert!(!sample.dated(&dates).unwrap().opened(day("2025-01-05")).is_under_a_year());
        let yearly = Settings { periods_per_year: 1.0, ..Settings::default() };
        assert!(!sample.with(yearly).unwrap().is_under_a_year());
    }

    #[test]
    fn a_window_keeps_its_rows_together() {
        let (returns, benchmark) = ([0.1, 0.2, 0.3], [0.0, 0.1, 0.1]);
        let dates = [day("2026-01-05"), day("2026-01-06"), day("2026-01-07")];
        let sample = Sample::new(&returns).unwrap().against(&benchmark).unwrap().dated(&dates).unwrap();
        let window = sample.window(1..3);
        assert_eq!(window.returns(), [0.2, 0.3]);
        assert_eq!((window.benchmark().unwrap(), window.opening(), window.days()), (&benchmark[1..], Some(dates[0]), Some(2)));
    }
}
