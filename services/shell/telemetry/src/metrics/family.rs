//! A metric with its labels: one cell for each combination.
//!
//! Promises: the number of labels is a matter of types; cells are made on first use and stay until
//! they are forgotten, also for those who hold them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};

use super::cell::{Cell, Reading, Twin};
use crate::names::{Definition, Kind};

/// Something that can be shown.
pub(crate) trait Source: std::fmt::Debug + Send + Sync {
    fn definition(&self) -> &'static Definition;
    /// Label values and what their cell shows, in the order of the labels.
    fn readings(&self) -> Vec<(Vec<String>, Reading)>;
}

/// A metric with `N` labels.
#[derive(Debug, Clone)]
pub(crate) struct Family<C, const N: usize> {
    shared: Arc<Shared<C, N>>,
}

#[derive(Debug)]
struct Shared<C, const N: usize> {
    definition: &'static Definition,
    histogram: Option<Histogram<f64>>,
    cells: RwLock<BTreeMap<[String; N], Arc<C>>>,
}

impl<C: Cell, const N: usize> Family<C, N> {
    pub(crate) fn new(definition: &'static Definition, meter: Option<&Meter>) -> Self {
        assert_eq!(definition.labels.len(), N, "{} labels", definition.name);
        Family {
            shared: Arc::new(Shared { definition, histogram: meter.and_then(|m| histogram(definition, m)), cells: RwLock::default() }),
        }
    }

    /// The cell of these label values.
    #[must_use]
    pub(crate) fn with(&self, values: [&str; N]) -> Arc<C> {
        let key = values.map(str::to_owned);
        let mut cells = self.shared.cells.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(&key) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(C::new(self.shared.definition.kind, self.twin(&key)));
        cells.insert(key, Arc::clone(&cell));
        cell
    }

    /// Takes what is labelled with a role's lane out of what is shown; a metric without lanes keeps everything.
    pub(crate) fn forget_lane(&self, role: &str, lane: &str) {
        let labels = self.shared.definition.labels;
        let at = |wanted: &str| labels.iter().position(|label| *label == wanted);
        if let (Some(of_role), Some(of_lane)) = (at("role"), at("lane")) {
            self.forget_where(|key| key[of_role] == role && key[of_lane] == lane);
        }
    }

    /// Takes every such cell out of what is shown.
    pub(crate) fn forget_where(&self, gone: impl Fn(&[String; N]) -> bool) {
        self.shared.cells.write().unwrap_or_else(PoisonError::into_inner).retain(|key, _| !gone(key));
    }

    pub(crate) fn source(&self) -> Arc<dyn Source> {
        Arc::clone(&self.shared) as Arc<dyn Source>
    }

    fn twin(&self, values: &[String; N]) -> Option<Twin> {
        self.shared.histogram.clone().map(|histogram| Twin { histogram, labels: labels(self.shared.definition, values).into() })
    }
}

impl<C: Cell, const N: usize> Source for Shared<C, N> {
    fn definition(&self) -> &'static Definition {
        self.definition
    }

    fn readings(&self) -> Vec<(Vec<String>, Reading)> {
        self.cells.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(key, cell)| (key.to_vec(), cell.read())).collect()
    }
}

/// Label values as OpenTelemetry attributes.
pub(crate) fn labels(definition: &Definition, values: &[String]) -> Vec<KeyValue> {
    definition.labels.iter().zip(values).map(|(label, value)| KeyValue::new(*label, value.clone())).collect()
}

fn histogram(definition: &'static Definition, meter: &Meter) -> Option<Histogram<f64>> {
    let Kind::Histogram(bounds) = definition.kind else {
        return None;
    };
    let seconds = |micros: &u64| std::time::Duration::from_micros(*micros).as_secs_f64();
    Some(
        meter
            .f64_histogram(definition.name)
            .with_description(definition.help)
            .with_unit(definition.unit)
            .with_boundaries(bounds.iter().map(seconds).collect())
            .build(),
    )
}
