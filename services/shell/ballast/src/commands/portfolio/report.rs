//! The report of a portfolio: its parts, each with its own time.

use super::book::{Book, Line, newest};
use super::past;
use crate::clock;
use crate::figure::{age, age_words, exact, exact_if_any, moment, percent, rounded};
use crate::sheet::{Report, Sheet};
use domain::Timestamp;
use postgres_store::queries::{FigureSet, PortfolioView};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

/// How old a part is, and whether it may be relied on.
#[derive(Debug, Serialize)]
struct Freshness {
    as_of: Option<String>,
    age_seconds: Option<i64>,
    source: &'static str,
    version: Option<i64>,
    complete: bool,
    wanting: Vec<String>,
}

/// A balance.
#[derive(Debug, Serialize)]
struct CashPart {
    currency: String,
    trade_date: String,
    settled: Option<String>,
}

/// A line. Weights and drifts are fractions of one; `percentage` is per cent.
#[derive(Debug, Serialize)]
struct AllocationPart {
    instrument_id: String,
    symbol: String,
    value: Option<String>,
    percentage: Option<String>,
    sector: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    target_weight: Option<String>,
    drift: Option<String>,
    quantity: Option<String>,
    price: Option<String>,
    price_time: Option<String>,
    stale: Option<bool>,
    unrealized: Option<String>,
    realized: Option<String>,
}

/// Exposure of a sector.
#[derive(Debug, Serialize)]
struct SectorPart {
    sector: String,
    value: Option<String>,
    weight: Option<String>,
}

/// Exposure; net, gross and weights are fractions of equity.
#[derive(Debug, Serialize)]
struct ExposurePart {
    net: Option<String>,
    gross: Option<String>,
    long: Option<String>,
    short: Option<String>,
    by_sector: Vec<SectorPart>,
}

/// Figures of a timeframe.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct FigurePart {
    pub(in crate::commands) timeframe: String,
    /// First day that they cover; null where it is not told.
    pub(in crate::commands) from: Option<String>,
    /// Last day that they cover; null where it is not told.
    pub(in crate::commands) to: Option<String>,
    pub(in crate::commands) as_of: String,
    pub(in crate::commands) age_seconds: i64,
    pub(in crate::commands) provisional: bool,
    pub(in crate::commands) figures: Value,
}

impl FigurePart {
    /// A set of figures as it is printed; its age is that at a moment.
    pub(in crate::commands) fn of(set: &FigureSet, by: Timestamp) -> Self {
        let at = moment(set.as_of);
        Self {
            timeframe: set.timeframe.clone(),
            from: set.from_date.clone(),
            to: set.date.clone(),
            as_of: at.to_string(),
            age_seconds: age(at, by),
            provisional: set.provisional,
            figures: set.metrics.clone(),
        }
    }
    /// Its columns.
    pub(in crate::commands) const COLUMNS: [&str; 9] =
        ["timeframe", "figure", "confidence", "value", "unit", "as_of", "reason", "from", "to"];

    /// Its rows, in these columns; of a figure that is undefined the value is what stands for none, beside the reason.
    pub(in crate::commands) fn rows(&self, shown: impl Fn(Option<Decimal>) -> String) -> Vec<Vec<String>> {
        let text = |figure: &Value, key: &str| figure.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let row = |figure: &Value| {
            vec![
                self.timeframe.clone(),
                text(figure, "id"),
                text(figure, "confidence"),
                shown(figure.get("value").and_then(Value::as_str).and_then(|value| value.parse().ok())),
                text(figure, "unit"),
                self.as_of.clone(),
                text(figure, "reason"),
                self.from.clone().unwrap_or_default(),
                self.to.clone().unwrap_or_default(),
            ]
        };
        self.figures.as_array().into_iter().flatten().map(row).collect()
    }
}

/// Profit from the book, performance from its records.
#[derive(Debug, Serialize)]
struct MetricsPart {
    profit: Value,
    performance: Vec<FigurePart>,
}

/// Concentration from the book, the other figures from their records.
#[derive(Debug, Serialize)]
struct RiskPart {
    concentration: Value,
    figures: Vec<FigurePart>,
}

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct PortfolioReport {
    portfolio_id: String,
    session_id: Option<String>,
    name: String,
    description: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    target_risk: Option<String>,
    scaling_notice: Option<String>,
    rebalance_frequency: String,
    mode: String,
    policy_version: i64,
    closed: bool,
    base_currency: String,
    as_of: Option<String>,
    known_at: Option<String>,
    freshness: Option<Freshness>,
    total_value: Option<String>,
    cash_value: Option<String>,
    available_cash: Option<String>,
    cash: Vec<CashPart>,
    allocations: Vec<AllocationPart>,
    exposure: Option<ExposurePart>,
    metrics: MetricsPart,
    risk: RiskPart,
    #[serde(skip)]
    book: Option<Book>,
}

impl PortfolioReport {
    /// The report of what the tables say; `asked` are the moments that were asked for.
    pub(super) fn of(view: &PortfolioView, asked: Option<(Timestamp, Timestamp)>) -> Self {
        let head = &view.head;
        // What was asked of then is as old as it was then.
        let by = asked.map_or_else(clock::now, |(moment, _)| moment);
        let book = match (&view.past, &view.book) {
            (Some(past), _) => Some(past::book(past, &head.base_currency, &view.allocations)),
            (None, Some(book)) => Some(newest(book, &view.allocations)),
            (None, None) => None,
        };
        let figure = |of: fn(&Book) -> Option<Decimal>| book.as_ref().and_then(of).map(exact);
        Self {
            portfolio_id: head.portfolio_id.clone(),
            session_id: head.session_id.clone(),
            name: head.name.clone(),
            description: head.description.clone(),
            kind: head.kind.clone(),
            target_risk: head.target_risk.map(exact),
            scaling_notice: head.scaling_notice.clone(),
            rebalance_frequency: head.rebalance_freq.clone(),
            mode: head.mode.clone(),
            policy_version: head.policy_version,
            closed: head.closed,
            base_currency: book.as_ref().map_or_else(|| head.base_currency.clone(), |book| book.base_currency.clone()),
            as_of: asked.map(|(moment, _)| moment.to_string()),
            known_at: asked.map(|(_, known_at)| known_at.to_string()),
            freshness: book.as_ref().map(|book| freshness(book, by)),
            total_value: figure(|book| book.total_value),
            cash_value: figure(|book| book.cash_value),
            available_cash: figure(|book| book.available_cash),
            cash: book.iter().flat_map(cash).collect(),
            allocations: book.iter().flat_map(|book| book.lines.iter().map(allocation)).collect(),
            exposure: book.as_ref().map(exposure),
            metrics: MetricsPart {
                profit: book.as_ref().map_or(Value::Null, |book| book.profit.clone()),
                performance: view.performance.iter().map(|set| FigurePart::of(set, by)).collect(),
            },
            risk: RiskPart {
                concentration: book.as_ref().map_or(Value::Null, |book| book.concentration.clone()),
                figures: view.risk.iter().map(|set| FigurePart::of(set, by)).collect(),
            },
            book,
        }
    }

    fn head(&self) -> String {
        let mut text = format!(
            "{} ({}), {}, mode {}, policy version {}{}",
            self.portfolio_id,
            self.name,
            self.kind,
            self.mode,
            self.policy_version,
            if self.closed { ", closed" } else { "" }
        );
        if let (Some(as_of), Some(known_at)) = (&self.as_of, &self.known_at) {
            text.push_str(&format!("\nas of {as_of}, as it was known at {known_at}"));
        }
        let Some(fresh) = &self.freshness else {
            return text + "\nno snapshot was made yet: it has no book, or the projector has not read it";
        };
        let priced = fresh.as_of.as_ref().map_or_else(|| "no prices".to_owned(), |at| format!("prices of {at}"));
        let old = fresh
            .age_seconds
            .map(|seconds| format!(", {} {}", age_words(seconds), if self.as_of.is_some() { "before" } else { "ago" }))
            .unwrap_or_default();
        text.push_str(&format!("\n{priced}{old}, from {}; {}", fresh.source, if fresh.complete { "complete" } else { "INCOMPLETE" }));
        fresh.wanting.iter().for_each(|word| text.push_str(&format!("\n  ! {word}")));
        text
    }

    /// Who it is and how fresh it is, in columns.
    fn whole(&self) -> Sheet {
        let columns = [
            "portfolio_id",
            "session_id",
            "name",
            "type",
            "mode",
            "policy_version",
            "closed",
            "as_of",
            "known_at",
            "prices_as_of",
            "age_seconds",
            "source",
            "version",
            "complete",
            "wanting",
        ];
        let fresh = self.freshness.as_ref();
        let text = |of: Option<&String>| of.cloned().unwrap_or_default();
        let of_fresh = |of: &dyn Fn(&Freshness) -> Option<String>| fresh.and_then(of).unwrap_or_default();
        let row = vec![
            self.portfolio_id.clone(),
            text(self.session_id.as_ref()),
            self.name.clone(),
            self.kind.clone(),
            self.mode.clone(),
            self.policy_version.to_string(),
            self.closed.to_string(),
            text(self.as_of.as_ref()),
            text(self.known_at.as_ref()),
            of_fresh(&|fresh| fresh.as_of.clone()),
            of_fresh(&|fresh| fresh.age_seconds.map(|age| age.to_string())),
            of_fresh(&|fresh| Some(fresh.source.to_owned())),
            of_fresh(&|fresh| fresh.version.map(|version| version.to_string())),
            of_fresh(&|fresh| Some(fresh.complete.to_string())),
            of_fresh(&|fresh| Some(fresh.wanting.join("; "))),
        ];
        Sheet::new("portfolio", &columns).with([row])
    }

    /// Lines with all that JSON has of them.
    fn exact_lines(&self) -> Sheet {
        let columns = [
            "symbol",
            "quantity",
            "value",
            "percentage",
            "target",
            "drift",
            "sector",
            "type",
            "price",
            "price_time",
            "stale",
            "instrument_id",
            "unrealized",
            "realized",
        ];
        let rows = self.allocations.iter().map(|line| {
            let figures = [&line.quantity, &line.value, &line.percentage, &line.target_weight, &line.drift, &line.sector, &line.kind];
            let rest = [&line.price, &line.price_time, &line.stale.map(|stale| stale.to_string())].map(Clone::clone);
            let last = [Some(line.instrument_id.clone()), line.unrealized.clone(), line.realized.clone()];
            let cells = figures.into_iter().cloned().chain(rest).chain(last);
            [line.symbol.clone()].into_iter().chain(cells.map(Option::unwrap_or_default)).collect()
        });
        Sheet::new("allocations", &columns).with(rows)
    }

    fn parts(&self, exactly: bool, show: &dyn Fn(Option<Decimal>, Kind) -> String) -> Vec<Sheet> {
        let Some(book) = &self.book else { return vec![Sheet::new("value", &[]).under(self.head())] };
        let money = |amount| show(amount, Kind::Money);
        let weight = |fraction| show(fraction, Kind::Fraction);
        let value = Sheet::new("value", &["total_value", "cash_value", "available_cash", "currency"]).under(self.head()).with([vec![
            money(book.total_value),
            money(book.cash_value),
            money(book.available_cash),
            book.base_currency.clone(),
        ]]);
        let cash = book.cash.iter().map(|held| vec![held.currency.clone(), money(Some(held.trade_date)), money(held.settled)]);
        let exposed = &book.exposure;
        let exposure = Sheet::new("exposure", &["net", "gross", "long", "short"]).under("exposure").with([vec![
            weight(exposed.net),
            weight(exposed.gross),
            money(exposed.long),
            money(exposed.short),
        ]]);
        let sectors = exposed.sectors.iter().map(|(sector, value, part)| vec![sector.clone(), money(*value), weight(*part)]);
        let profit = book.profit.as_object().into_iter().flatten().filter_map(|(name, amount)| {
            let amount = amount.as_str().and_then(|text| text.parse().ok())?;
            Some(vec![name.clone(), money(Some(amount))])
        });
        let figures = |name, title: &str, parts: &[FigurePart]| {
            let rows = parts.iter().flat_map(|part| part.rows(|value| show(value, Kind::Ratio)));
            Sheet::new(name, &FigurePart::COLUMNS).under(title).with(rows)
        };
        let concentration = ["hhi", "effective_number"]
            .map(|name| vec![name.to_owned(), show(super::book::number(&book.concentration, name), Kind::Ratio)]);
        let mut sheets = vec![
            value,
            Sheet::new("cash", &["currency", "trade_date", "settled"]).under("cash").with(cash),
            if exactly { self.exact_lines() } else { lines(book, show) },
            exposure,
            Sheet::new("sectors", &["sector", "value", "weight"]).with(sectors),
            Sheet::new("profit", &["profit", "amount"]).under("metrics").with(profit),
        ];
        sheets.push(if self.metrics.performance.is_empty() {
            Sheet::new("performance", &[]).under("performance: no record was read yet")
        } else {
            figures("performance", "performance", &self.metrics.performance)
        });
        sheets.push(Sheet::new("concentration", &["concentration", "value"]).under("risk").with(concentration));
        sheets.push(if self.risk.figures.is_empty() {
            Sheet::new("risk", &[]).under("  figures of risk: no record was read yet")
        } else {
            let unfollowed = self.scaling_notice.as_ref().map(|notice| format!(": {notice}")).unwrap_or_default();
            figures("risk", &format!("figures of risk{unfollowed}"), &self.risk.figures)
        });
        sheets
    }
}

/// Lines for people.
fn lines(book: &Book, show: &dyn Fn(Option<Decimal>, Kind) -> String) -> Sheet {
    let line = |line: &Line| {
        vec![
            line.symbol.clone().unwrap_or_else(|| line.instrument_id.clone()),
            show(line.quantity, Kind::Exact),
            show(line.value, Kind::Money),
            show(line.percentage, Kind::Points),
            show(line.target_weight, Kind::Fraction),
            show(line.drift, Kind::Fraction),
            line.sector.clone().unwrap_or_default(),
            line.kind.clone().unwrap_or_default(),
            show(line.price, Kind::Exact),
            if line.stale == Some(true) { "stale".to_owned() } else { String::new() },
        ]
    };
    let columns = ["symbol", "quantity", "value", "percentage", "target", "drift", "sector", "type", "price", "note"];
    Sheet::new("allocations", &columns).under("allocations").with(book.lines.iter().map(line))
}

/// What a number is, for whoever shows it.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Money,
    Fraction,
    Points,
    Ratio,
    Exact,
}

impl Report for PortfolioReport {
    fn sheets(&self) -> Vec<Sheet> {
        self.parts(false, &|number, kind| match kind {
            Kind::Money => rounded(number, 2),
            Kind::Fraction => percent(number),
            Kind::Points => number.map_or("-".to_owned(), |_| format!("{} %", rounded(number, 2))),
            Kind::Ratio => rounded(number, 6),
            Kind::Exact => number.map_or("-".to_owned(), exact),
        })
    }
    fn exact(&self) -> Vec<Sheet> {
        std::iter::once(self.whole()).chain(self.parts(true, &|number, _| exact_if_any(number))).collect()
    }
}

/// How fresh a book is at a moment.
fn freshness(book: &Book, by: Timestamp) -> Freshness {
    let at = book.as_of.map(Timestamp::from_micros);
    Freshness {
        as_of: at.map(|at| at.to_string()),
        age_seconds: at.map(|at| age(at, by)),
        source: book.basis.name(),
        version: book.version,
        complete: book.complete,
        wanting: book.wanting.clone(),
    }
}

fn cash(book: &Book) -> Vec<CashPart> {
    let part = |held: &super::book::Cash| CashPart {
        currency: held.currency.clone(),
        trade_date: exact(held.trade_date),
        settled: held.settled.map(exact),
    };
    book.cash.iter().map(part).collect()
}

fn allocation(line: &Line) -> AllocationPart {
    AllocationPart {
        instrument_id: line.instrument_id.clone(),
        symbol: line.symbol.clone().unwrap_or_else(|| line.instrument_id.clone()),
        value: line.value.map(exact),
        percentage: line.percentage.map(exact),
        sector: line.sector.clone(),
        kind: line.kind.clone(),
        target_weight: line.target_weight.map(exact),
        drift: line.drift.map(exact),
        quantity: line.quantity.map(exact),
        price: line.price.map(exact),
        price_time: line.price_time.map(|at| Timestamp::from_micros(at).to_string()),
        stale: line.stale,
        unrealized: line.unrealized.map(exact),
        realized: line.realized.map(exact),
    }
}

fn exposure(book: &Book) -> ExposurePart {
    let of = &book.exposure;
    let sector = |(sector, value, weight): &(String, Option<Decimal>, Option<Decimal>)| SectorPart {
        sector: sector.clone(),
        value: value.map(exact),
        weight: weight.map(exact),
    };
    ExposurePart {
        net: of.net.map(exact),
        gross: of.gross.map(exact),
        long: of.long.map(exact),
        short: of.short.map(exact),
        by_sector: of.sectors.iter().map(sector).collect(),
    }
}

#[cfg(test)]
mod tests;
