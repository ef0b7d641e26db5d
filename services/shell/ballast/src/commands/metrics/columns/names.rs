//! The roles of columns, and the headers by which each is usually known.

/// What a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is its name")]
pub enum Role {
    Date,
    Return,
    Value,
    Flow,
    Inflow,
    Outflow,
    Benchmark,
    BenchmarkLevel,
    RiskFree,
    RiskFreeAnnual,
    Period,
    Sector,
    PortfolioWeight,
    PortfolioReturn,
    BenchmarkWeight,
    BenchmarkReturn,
    Pnl,
    Weight,
    Instrument,
    Strategy,
    InstrumentType,
    Quantity,
    Price,
    Multiplier,
    TimeOfDay,
}

/// Each role with its name, which is the first, and its other usual headers.
pub const NAMES: [(Role, &[&str]); 25] = [
    (
        Role::Date,
        &[
            "date",
            "day",
            "timestamp",
            "time",
            "datetime",
            "date_time",
            "as_of",
            "as_of_date",
            "period_end",
            "month_end",
            "valuation_date",
            "value_date",
            "trade_date",
            "transaction_date",
            "closed_at",
        ],
    ),
    (
        Role::Return,
        &[
            "return",
            "returns",
            "ret",
            "rets",
            "r",
            "daily_return",
            "daily_returns",
            "monthly_return",
            "monthly_returns",
            "pct_change",
            "pct_return",
            "portfolio",
            "fund",
            "simple_return",
            "total_return",
            "ror",
        ],
    ),
    (
        Role::Value,
        &[
            "value",
            "nav",
            "level",
            "index_level",
            "equity",
            "balance",
            "portfolio_value",
            "market_value",
            "total_value",
            "end_value",
            "ending_value",
            "mv",
            "wealth",
            "v",
        ],
    ),
    (
        Role::Flow,
        &[
            "flow",
            "flows",
            "amount",
            "cash_flow",
            "cash_flows",
            "cashflow",
            "cashflows",
            "net_flow",
            "netflow",
            "external_flow",
            "net_external_flow",
            "net_cash_flow",
            "external_cash_flow",
            "net_contribution",
            "capital_flow",
            "transfer",
            "cf",
            "payment",
            "payments",
        ],
    ),
    (Role::Inflow, &["deposit", "inflow", "contribution", "cash_in", "subscription"]),
    (Role::Outflow, &["withdrawal", "outflow", "distribution", "cash_out", "redemption"]),
    (
        Role::Benchmark,
        &[
            "benchmark",
            "bench",
            "bm",
            "benchmark_returns",
            "market",
            "market_return",
            "factor",
            "factor_returns",
            "mkt",
            "index",
            "index_return",
        ],
    ),
    (Role::BenchmarkLevel, &["benchmark_level", "benchmark_value", "benchmark_price", "benchmark_close", "benchmark_nav"]),
    (Role::RiskFree, &["risk_free", "rf", "riskfree", "risk_free_rate", "risk_free_return", "rfr", "t_bill", "tbill"]),
    (Role::RiskFreeAnnual, &["risk_free_annual", "rf_annual", "annual_risk_free", "annual_rf"]),
    (Role::Period, &["period", "quarter", "month", "year", "period_id"]),
    (Role::Sector, &["sector", "segment", "group", "category", "asset_class", "country", "region", "industry", "bucket"]),
    (
        Role::PortfolioWeight,
        &[
            "portfolio_weight",
            "portfolio_weights",
            "weight_portfolio",
            "port_weight",
            "pf_weight",
            "fund_weight",
            "wp",
            "w_p",
            "manager_weight",
        ],
    ),
    (
        Role::PortfolioReturn,
        &[
            "portfolio_return",
            "portfolio_returns",
            "return_portfolio",
            "port_return",
            "pf_return",
            "fund_return",
            "rp",
            "r_p",
            "manager_return",
        ],
    ),
    (
        Role::BenchmarkWeight,
        &["benchmark_weight", "benchmark_weights", "weight_benchmark", "bench_weight", "bm_weight", "index_weight", "wb", "w_b"],
    ),
    (Role::BenchmarkReturn, &["benchmark_return", "return_benchmark", "bench_return", "bm_return", "rb", "r_b"]),
    (
        Role::Pnl,
        &[
            "pnl",
            "p&l",
            "p/l",
            "pl",
            "profit",
            "profit_loss",
            "profit_and_loss",
            "realized_pnl",
            "realised_pnl",
            "net_pnl",
            "trade_pnl",
            "net_profit",
            "realized",
            "realised",
            "gain",
        ],
    ),
    (Role::Weight, &["weight", "weights", "w", "allocation"]),
    (Role::Instrument, &["instrument", "instrument_id", "asset", "symbol", "ticker", "name", "security", "holding"]),
    (Role::Strategy, &["strategy", "strategy_id", "book", "signal"]),
    (Role::InstrumentType, &["type", "instrument_type", "product"]),
    (Role::Quantity, &["quantity", "qty", "shares", "units", "position", "position_size", "contracts", "size"]),
    (
        Role::Price,
        &["price", "close", "adj_close", "adjusted_close", "closing_price", "last_price", "market_price", "mark_price", "mark", "last"],
    ),
    (Role::Multiplier, &["multiplier", "contract_multiplier", "contract_size", "point_value"]),
    (Role::TimeOfDay, &["time_of_day", "time_bucket"]),
];

/// Whether a header is that of adjusted prices.
pub fn is_adjusted(header: &str) -> bool {
    normal(header).starts_with("adj")
}

/// The role of a header by its usual names.
pub fn role_of(header: &str) -> Option<Role> {
    named(&normal(header)).or_else(|| named(&normal(&parted(header))))
}

fn named(header: &str) -> Option<Role> {
    let named = |header: &str| NAMES.iter().find(|(_, names)| names.contains(&header)).map(|(role, _)| *role);
    // The plural too, but of no abbreviation: what is as short may be the symbol of an asset.
    named(header).or_else(|| named(header.strip_suffix('s').filter(|one| one.len() > 3)?))
}

/// A header with its words parted where a capital begins one: netFlow is net Flow.
fn parted(header: &str) -> String {
    let mut words = String::new();
    let mut after_small = false;
    for letter in header.chars() {
        if after_small && letter.is_uppercase() {
            words.push(' ');
        }
        after_small = letter.is_lowercase();
        words.push(letter);
    }
    words
}

/// Whether a header calls its column returns: daily_return, ret, pct_change.
pub fn says_return(header: &str) -> bool {
    let of_returns = ["return", "returns", "ret", "rets", "r", "ror", "change", "rp", "rb"];
    words(header).iter().any(|word| of_returns.contains(&word.as_str()))
}

/// The words of a header, in small letters.
pub fn words(header: &str) -> Vec<String> {
    normal(&parted(header)).split('_').map(str::to_owned).collect()
}

/// The name of a role.
pub fn name_of(role: Role) -> &'static str {
    NAMES.iter().find(|(one, _)| *one == role).map_or("?", |(_, names)| names[0])
}

/// Whether a header says that its column is in per cent: Return (%), weight_pct.
pub fn is_percent(header: &str) -> bool {
    header.contains('%') || header.to_lowercase().ends_with("pct") || header.to_lowercase().ends_with("percent")
}

/// A header in small letters, with words parted by one underscore and without the sign of its unit.
pub fn normal(header: &str) -> String {
    let bare = header.to_lowercase().replace("(%)", "").replace('%', "");
    let words: Vec<&str> = bare.split(|c: char| c.is_whitespace() || "-_.".contains(c)).filter(|word| !word.is_empty()).collect();
    let units = words.iter().rev().take_while(|word| matches!(**word, "pct" | "percent")).count();
    words[..if units < words.len() { words.len() - units } else { words.len() }].join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_means_one_role() {
        let all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(role_of(" Adj Close "), Some(Role::Price));
        assert_eq!(role_of("Portfolio-Weight"), Some(Role::PortfolioWeight));
        assert_eq!((role_of("ACME"), role_of("BMS")), (None, None));
        for (header, role) in [
            ("Values", Role::Value),
            ("Amounts", Role::Flow),
            ("Dates", Role::Date),
            ("Flows", Role::Flow),
            ("Cashflows", Role::Flow),
            ("Returns", Role::Return),
            ("Prices", Role::Price),
            ("netExternalFlow", Role::Flow),
            ("Deposits", Role::Inflow),
            ("TradeDate", Role::Date),
            ("portfolioWeight", Role::PortfolioWeight),
            ("benchmarkReturn", Role::BenchmarkReturn),
            ("riskFreeRate", Role::RiskFree),
            ("PnL", Role::Pnl),
            ("NAV", Role::Value),
        ] {
            assert_eq!(role_of(header), Some(role), "{header}");
        }
        assert_eq!((role_of("Portfolio Weight (%)"), role_of("return_pct")), (Some(Role::PortfolioWeight), Some(Role::Return)));
        assert!(is_percent("Return %") && is_percent("weight_pct") && !is_percent("pct_change") && !is_percent("return"));
    }
}
