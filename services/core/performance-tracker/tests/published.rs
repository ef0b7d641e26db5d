//! Figures that were published, with their sources: what a reader of the books would compute by hand.

#![allow(clippy::excessive_precision, reason = "figures stand as they were published")]
#![allow(clippy::disallowed_methods, reason = "a test may round as its machine does")]
#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a test that cannot go on has failed, and figures are floats")]

use domain::Date;
use performance_tracker::attribution::brinson::{Holding, Model, Side, brinson};
use performance_tracker::attribution::carino::linked;
use performance_tracker::metrics::catalogue::find;
use performance_tracker::returns::account::{FlowTiming, Valuation, time_weighted};
use performance_tracker::returns::dietz::{DayPart, modified};
use performance_tracker::returns::money_weighted::irr;
use performance_tracker::{Sample, Settings};

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} is not {expected}");
}

fn figure(id: &str, sample: &Sample<'_>) -> f64 {
    find(id).unwrap().of_sample(sample).unwrap().value.unwrap()
}

fn yearly() -> Settings {
    Settings { periods_per_year: 1.0, ..Settings::default() }
}

/// Rollinger and Hoffman, "Sortino: A Sharper Ratio" (Red Rock Capital, 2013): eight annual returns, target zero.
#[test]
fn a_sharper_ratio() {
    let returns = [0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04];
    let sample = Sample::new(&returns).unwrap().with(yearly()).unwrap();
    near(figure("mean_return", &sample), 0.10, 1e-15);
    near(figure("downside_deviation", &sample), 0.0226, 5e-5);
    near(figure("sortino", &sample), 4.417, 5e-4);
    near(figure("sortino_target", &sample), 4.417, 5e-4);
}

/// Microsoft's help of IRR: a business of 70,000 with five years of income.
#[test]
fn the_help_of_irr() {
    let flows = [-70_000.0, 12_000.0, 15_000.0, 18_000.0, 21_000.0, 26_000.0];
    near(irr(&flows).unwrap().rate, 0.0866, 5e-5);
    near(irr(&flows[..5]).unwrap().rate, -0.021, 5e-4);
    near(irr(&flows[..3]).unwrap().rate, -0.444, 5e-4);
}

/// Microsoft's help of XNPV and XIRR: one example, a rate of 9 % and the rate of zero.
#[test]
fn the_help_of_xnpv() {
    use performance_tracker::returns::money_weighted::{CashFlow, present_value, xirr};
    let flows =
        [("2008-01-01", -10_000.0), ("2008-03-01", 2_750.0), ("2008-10-30", 4_250.0), ("2009-02-15", 3_250.0), ("2009-04-01", 2_750.0)]
            .map(|(date, amount)| CashFlow { date: date.parse().unwrap(), amount });
    near(present_value(&flows, 0.09).unwrap(), 2_086.65, 0.005);
    near(xirr(&flows).unwrap().rate, 0.373_362_535, 2e-9);
}

/// Bacon, "Practical Portfolio Performance Measurement and Attribution" (2008), tables 5.1 to 5.4: the effects of
/// asset allocation, stock selection and interaction of UK, Japanese and US equities.
#[test]
fn tables_of_bacon() {
    let row = |sector: &str, own: (f64, f64), other: (f64, f64)| Holding {
        sector: sector.to_owned(),
        portfolio: Side { weight: own.0, value: Some(own.1) },
        benchmark: Side { weight: other.0, value: Some(other.1) },
    };
    let rows = [row("UK", (0.4, 0.2), (0.4, 0.1)), row("Japan", (0.3, -0.05), (0.2, -0.04)), row("US", (0.3, 0.06), (0.4, 0.08))];
    let fachler = brinson(&rows, Model::Fachler).unwrap();
    near(fachler.total.allocation, -0.012, 1e-14);
    near(fachler.total.selection, 0.03, 1e-14);
    near(fachler.total.interaction, 0.001, 1e-14);
    near(fachler.active_return(), 0.019, 1e-14);
    let linked = linked(&[fachler.clone(), fachler]).unwrap();
    near(linked.portfolio_return, 1.083 * 1.083 - 1.0, 1e-14);
    near(linked.residual(), 0.0, 1e-15);
}

/// An account valued at its flow: 5 % and then 10 %, whatever came in between (the standard example of true
/// time-weighting), and modified Dietz of the same flow on day 10 of 30.
#[test]
fn a_flow_between_two_periods() {
    let row = |day: i32, value: f64, flow: f64| Valuation { date: Date::from_days(day), value, flow };
    let account = [row(0, 100.0, 0.0), row(10, 105.0, 95.0), row(30, 220.0, 0.0)];
    let returns = time_weighted(&account, FlowTiming::AfterValue).unwrap();
    near((1.0 + returns[0]) * (1.0 + returns[1]) - 1.0, 0.155, 1e-15);
    let dietz = modified(&account, FlowTiming::AfterValue, DayPart::End).unwrap();
    near(dietz, 25.0 / (100.0 + 95.0 * 20.0 / 30.0), 1e-15);
}

const MIXED: [f64; 8] = [0.01, 0.1, -0.04, 0.02, 0.03, 0.02, 0.01, -0.1];
const NINE: [f64; 9] = [0.0, 0.01, 0.1, -0.04, 0.02, 0.03, 0.02, 0.01, -0.1];
const POSITIVE: [f64; 9] = [0.01, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01];
const NEGATIVE: [f64; 9] = [0.0, -0.06, -0.07, -0.01, -0.09, -0.02, -0.06, -0.08, -0.05];
const ALL_NEGATIVE: [f64; 8] = [-0.06, -0.07, -0.01, -0.09, -0.02, -0.06, -0.08, -0.05];

fn with(periods: f64, minimum: f64) -> Settings {
    Settings { periods_per_year: periods, minimum_acceptable: minimum, ..Settings::default() }
}

/// Values that the test suite of empyrical (Quantopian) holds itself to, over its series `mixed_returns` (its first,
/// missing value left out), `weekly_returns`, `monthly_returns`, `positive_returns` and `negative_returns`.
#[test]
fn what_empyrical_holds_itself_to() {
    for (returns, periods, minimum, id, expected) in [
        (&NINE[..], 252.0, 0.0, "cumulative_return", 0.038_931_091_700_480_147),
        (&NINE, 252.0, 0.0, "annualised_return", 1.913_592_537_319_423_1),
        (&NINE, 52.0, 0.0, "annualised_return", 0.246_908_305_139_982_08),
        (&NINE, 12.0, 0.0, "annualised_return", 0.052_242_061_386_048_144),
        (&MIXED, 252.0, 0.0, "volatility", 0.913_646_539_970_463_7),
        (&NINE, 52.0, 0.0, "volatility", 0.388_515_693_948_705_83),
        (&NINE, 12.0, 0.0, "volatility", 0.186_636_902_388_925_58),
        (&NINE, 52.0, 0.0, "calmar", 2.469_083_051_399_820_8),
        (&NINE, 12.0, 0.0, "calmar", 0.522_420_613_860_481_44),
        (&MIXED, 252.0, 0.0, "max_drawdown", -0.1),
        (&NEGATIVE, 252.0, 0.0, "max_drawdown", -0.365_907_303_498_736_01),
        (&MIXED, 252.0, 0.0, "sharpe", 1.723_861_396_170_686_6),
        (&POSITIVE, 252.0, 0.0, "sharpe", 52.915_026_221_291_804),
        (&NEGATIVE, 252.0, 0.0, "sharpe", -24.406_808_633_910_085),
        (&MIXED, 252.0, 0.0, "downside_deviation", 0.604_483_250_388_296_53),
        (&MIXED, 252.0, 0.1, "downside_deviation", 1.716_173_068_195_629_5),
        (&NINE, 52.0, 0.0, "downside_deviation", 0.258_886_504_519_301_34),
        (&NINE, 12.0, 0.1, "downside_deviation", 0.371_483_512_420_134_22),
        (&MIXED, 252.0, 0.0, "sortino", 2.605_531_251_673_693),
        (&MIXED, 252.0, 0.01, "sortino_target", -1.393_477_958_891_997_7),
        (&NEGATIVE, 252.0, 0.0, "sortino", -13.532_743_075_043_401),
        (&NINE, 52.0, 0.0, "sortino_target", 1.115_890_105_686_643_9),
        (&NINE, 12.0, 0.0, "sortino_target", 0.536_056_267_418_897_56),
        (&MIXED, 252.0, 11.0_f64.powf(1.0 / 252.0) - 1.0, "omega", 0.833_542_634_975_579_34),
        (&MIXED, 252.0, 0.01, "omega", 0.8125),
        (&POSITIVE, 252.0, 0.011, "omega", 1.125),
        (&NEGATIVE, 252.0, 0.01, "omega", 0.0),
        (&MIXED, 252.0, 0.0, "stability", 0.152_997_366_511_127_3),
    ] {
        let sample = Sample::new(returns).unwrap().with(with(periods, minimum)).unwrap();
        let found = figure(id, &sample);
        assert!((found - expected).abs() <= 5e-9, "{id}, {periods} periods, {minimum}: {found} is not {expected}");
    }
}

/// The same suite, beside a benchmark.
#[test]
fn what_empyrical_holds_itself_to_beside_a_benchmark() {
    for (returns, benchmark, id, expected) in [
        (MIXED, ALL_NEGATIVE, "beta", -0.712_962_962_962_963_13),
        (MIXED, ALL_NEGATIVE, "alpha_arithmetic", -8.306_666_666_666_668),
        (MIXED, MIXED, "beta", 1.0),
        (MIXED, MIXED.map(|one| -one), "beta", -1.0),
        (MIXED, [0.0; 8], "information_ratio_period", 0.108_593_060_690_767_37),
        (MIXED, [0.01; 8], "information_ratio_period", -0.065_155_836_414_460_39),
        (ALL_NEGATIVE, MIXED, "down_capture", 0.999_560_257_037_986_34),
    ] {
        let sample = Sample::new(&returns).unwrap().against(&benchmark).unwrap();
        let found = figure(id, &sample);
        assert!((found - expected).abs() <= 5e-9, "{id} against {benchmark:?}: {found} is not {expected}");
    }
}
