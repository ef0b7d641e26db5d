//! Input that could be two things, or has names of its own: it is read as what it is, or asked about, and never taken for
//! something else without a word.

use crate::shell::{Folder, figure, json, near, refused};
use serde_json::Value;

fn notes(report: &Value) -> String {
    report["notes"].to_string()
}

#[test]
fn levels_are_not_taken_for_returns() {
    let both = "date,portfolio,benchmark\n2020-01-31,100,3225.52\n2020-02-29,101,2954.22\n2020-03-31,99,2584.59\n";
    let told = refused(&["-"], both);
    assert!(told.contains("\"portfolio\"") && told.contains("ballast metrics values") && told.contains("--percent"), "{told}");
    let report = json(&["-", "--column", "value=portfolio"], both);
    assert_eq!(report["kind"], "values");
    near(figure(&report, "time_weighted_return"), 99.0 / 100.0 - 1.0);
    near(figure(&report, "benchmark_return"), 2584.59 / 3225.52 - 1.0);
    // Only the benchmark is one of levels.
    let mixed = "date,return,benchmark\n2020-01-31,0.01,3225.52\n2020-02-29,0.02,2954.22\n2020-03-31,0.01,2584.59\n";
    assert!(refused(&["-"], mixed).contains("benchmark_level"));
    let report = json(&["-", "--column", "benchmark_level=benchmark"], mixed);
    near(figure(&report, "benchmark_return"), 2584.59 / 3225.52 - 1.0);
    // Prices of assets.
    let prices = "date,A,B\n2020-01-02,100,50\n2020-01-03,101,51\n2020-01-06,102,50\n";
    assert!(refused(&["-"], prices).contains("--prices"));
    assert_eq!(json(&["-", "--prices"], prices)["observations"], 2);
    // Who calls them returns is believed, and told.
    let called = "date,return\n2020-01-31,1.5\n2020-02-29,0.9\n";
    let report = json(&["-"], called);
    near(figure(&report, "cumulative_return"), 2.5 * 1.9 - 1.0);
    assert!(notes(&report).contains("above 50 %"), "{report}");
    let unsure = "date,return\n2020-01-02,1.2\n2020-01-03,-0.8\n2020-01-06,2.1\n2020-01-07,-0.9\n";
    assert!(notes(&json(&["-"], unsure)).contains("--percent"));
    assert!(!notes(&json(&["-", "--percent"], unsure)).contains("--percent"));
    assert!(refused(&["returns", "-"], "date,log_return\n2020-01-02,0.01\n2020-01-03,0.02\n").contains("exp(r) - 1"));
}

#[test]
fn what_comes_in_and_what_goes_out_may_have_columns_of_their_own() {
    let expected = (160.0 / 150.0) * (170.0 / 160.0) - 1.0;
    for text in [
        "date,value,deposits,withdrawals\n2020-01-01,100,0,0\n2020-02-01,160,50,0\n2020-03-01,120,0,50\n",
        "date,value,inflow,outflow\n2020-01-01,100,,\n2020-02-01,160,50,\n2020-03-01,120,,-50\n",
        "date,totalValue,netExternalFlow\n2020-01-01,100,0\n2020-02-01,160,50\n2020-03-01,120,-50\n",
        "date,value,net_external_flow,deposit\n2020-01-01,100,0,0\n2020-02-01,160,50,60\n2020-03-01,120,-50,0\n",
    ] {
        near(figure(&json(&["-"], text), "time_weighted_return"), expected);
    }
    let mixed = "date,value,withdrawals\n2020-01-01,100,5\n2020-02-01,160,-5\n";
    assert!(refused(&["-"], mixed).contains("line 3"));
    let owner = "date,contributions,distributions\n2020-01-01,100,0\n2021-01-01,0,110\n";
    let report = json(&["flows", "-"], owner);
    near(figure(&report, "xirr"), 1.1_f64.powf(365.0 / 366.0) - 1.0);
    assert!(notes(&report).contains("those of the owner"));
}

#[test]
fn dates_are_found_under_any_header() {
    let flows = |header: &str| format!("{header},amount\n2020-01-01,-1000\n2020-07-01,-500\n2021-01-01,1700\n");
    let expected = figure(&json(&["-"], &flows("date")), "xirr");
    for header in ["transaction_date", "value_date", "TradeDate", "when", "asof", "ts"] {
        near(figure(&json(&["-"], &flows(header)), "xirr"), expected);
    }
    let bare = "amount\n-1000\n1100\n";
    assert!(refused(&["-", "--metric", "xirr"], bare).contains("it needs dates"));
    let values = "date,value\n2020-01-01,100\n2021-01-01,110\n";
    assert!(refused(&["-", "--metric", "xirr"], values).contains("ballast metrics flows FILE"));
    // Two columns of dates: neither is taken.
    let two = "opened,closed,pnl\n2020-01-01,2020-01-05,5\n2020-01-02,2020-01-03,-1\n";
    assert!(notes(&json(&["-"], two)).contains("opened, closed"));
}

#[test]
fn numbered_periods_have_their_gaps_and_their_order() {
    let rate = |text: &str| figure(&json(&["flows", "-"], text), "irr");
    // 60/x + 60/x^3 = 100, and 30/x + 60/x^2 = 100.
    let gap = rate("year,amount\n0,-100\n1,60\n3,60\n") + 1.0;
    assert!((60.0 / gap + 60.0 / gap.powi(3) - 100.0).abs() < 1e-9, "{gap}");
    let shuffled = rate("year,amount\n2,60\n0,-100\n1,30\n") + 1.0;
    assert!((30.0 / shuffled + 60.0 / shuffled.powi(2) - 100.0).abs() < 1e-9, "{shuffled}");
    let series = json(&["-", "--by", "month"], "period,return\n3,-0.5\n1,0.1\n2,0.1\n");
    near(figure(&series, "max_drawdown"), -0.5);
    near(figure(&series, "current_drawdown"), -0.5);
    assert!(notes(&json(&["-"], "period,return\n1,0.1\n3,0.1\n")).contains("no row has the number 2"));
}

#[test]
fn weights_in_per_cent_are_asked_about() {
    let assets = "date,A,B\n2020-01-02,0.01,0.02\n2020-01-03,-0.01,0.01\n2020-01-06,0.02,-0.01\n";
    assert!(refused(&["-", "--weights", "60,40"], assets).contains("60% or 0.6"));
    let signed = figure(&json(&["-", "--weights", "60%,40%"], assets), "portfolio_volatility");
    near(signed, figure(&json(&["-", "--weights", "A=0.6,B=0.4"], assets), "portfolio_volatility"));
    assert!(notes(&json(&["-", "--weights", "1.5,-0.2"], assets)).contains("add up to 1.3"));
    assert!(refused(&["-", "--risk-free", "5"], assets).contains("2%"));
}

#[test]
fn names_of_programs_and_short_ones_are_read() {
    let camel = r#"{"sector":"A","portfolioWeight":0.5,"portfolioReturn":0.1,"benchmarkWeight":0.6,"benchmarkReturn":0.05}
{"sector":"B","portfolioWeight":0.5,"portfolioReturn":0.2,"benchmarkWeight":0.4,"benchmarkReturn":0.1}"#;
    near(figure(&json(&["-"], camel), "portfolio_return"), 0.15);
    for weights in ["bm_weight,bm_return", "index_weight,index_return"] {
        let short = format!("sector,portfolio_weight,portfolio_return,{weights}\nA,0.5,0.1,0.6,0.05\nB,0.5,0.2,0.4,0.1\n");
        near(figure(&json(&["-"], &short), "benchmark_return"), 0.07);
    }
    let rates = "date,dailyReturn,benchmarkReturn,riskFreeRate\n2020-01-02,0.01,0.02,0.001\n2020-01-03,0.02,0.01,0.001\n";
    let report = json(&["-"], rates);
    assert_eq!((report["risk_free"].as_str(), report["observations_with_benchmark"].as_u64()), (Some("a series"), Some(2)));
}

#[test]
fn files_beside_the_returns_have_columns_of_their_own_names() {
    let folder = Folder::new("unclear");
    let own = "date,return\n2020-01-02,0.01\n2020-01-03,0.02\n2020-01-06,-0.01\n";
    let levels = folder.file("spy.csv", "date,SPY\n2020-01-01,300\n2020-01-02,303\n2020-01-03,300\n2020-01-06,306\n");
    let report = json(&["-", "--benchmark", &levels], own);
    near(figure(&report, "benchmark_return"), 306.0 / 300.0 - 1.0);
    assert!(notes(&report).contains("read as levels"), "{report}");
    let named = folder.file("two.csv", "date,SPY,QQQ\n2020-01-02,0.01,0.5\n2020-01-03,0.02,0.5\n2020-01-06,0.01,0.5\n");
    assert!(refused(&["-", "--benchmark", &named], own).contains("--column benchmark=HEADER"));
    near(figure(&json(&["-", "--benchmark", &named, "--column", "benchmark=SPY"], own), "benchmark_return"), 1.01 * 1.02 * 1.01 - 1.0);
    let rates = folder.file("rates.csv", "date,DGS3MO,DGS3MO_pct\n2020-01-02,5,5\n2020-01-03,5,5\n2020-01-06,5,5\n");
    assert!(refused(&["-", "--risk-free-file", &rates], own).contains("risk_free_annual"));
    let report = json(&["-", "--risk-free-file", &rates, "--column", "risk_free_annual=DGS3MO_pct", "--metric", "sharpe"], own);
    assert_eq!(report["risk_free"], "a series");
    let told = refused(&["-", "--risk-free-file", &rates, "--column", "risk_free_annual=DGS3MO"], own);
    assert!(told.contains("write 5%"), "{told}");
}

#[test]
fn what_is_divided_or_not_read_is_said() {
    let percent = "date,return (%)\n2020-01-02,1\n2020-01-03,2\n";
    let report = json(&["-"], percent);
    near(figure(&report, "cumulative_return"), 1.01 * 1.02 - 1.0);
    assert!(notes(&report).contains("divided by 100"));
    let report = json(&["-", "--weights", "1", "--equity", "1,000"], percent);
    assert!(notes(&report).contains("--weights, --equity"), "{report}");
    assert!(refused(&["-"], "date,return\n2020-01-02,$1.5\n").contains("without a currency"));
    let early = json(&["-"], "date,return\n2020-01-05,-0.05\n2020-01-06,0.02\n2020-01-07,0.01\n");
    assert_eq!(early["drawdowns"][0]["days"].as_f64(), Some(figure(&early, "max_drawdown_days")));
    let one = json(&["-"], "date,return\n2020-01-05,-0.05\n");
    assert_eq!(one["figures"]["var_cornish_fisher"]["reason"], one["figures"]["var_parametric"]["reason"]);
    near(figure(&json(&["-", "--metric", "sharpe", "--rf", "2%"], "date|return\n2020-01-02|1%\n2020-01-03|3%\n"), "sharpe"), {
        let (rate, mean) = (1.02_f64.powf(1.0 / 252.0) - 1.0, 0.02);
        (mean - rate) / 0.0002_f64.sqrt() * 252.0_f64.sqrt()
    });
}

#[test]
fn per_cent_signs_in_some_rows_are_said() {
    let report = json(&["-"], "date,return\n2020-01-02,1%\n2020-01-03,0\n2020-01-06,0.015\n");
    near(figure(&report, "cumulative_return"), 1.01 * 1.015 - 1.0);
    assert!(notes(&report).contains("per cent sign in line 2 and none in line 4"), "{report}");
    let all = json(&["-"], "date,return\n2020-01-02,1%\n2020-01-03,0\n2020-01-06,1.5%\n");
    assert!(!notes(&all).contains("per cent sign"), "{all}");
}

#[test]
fn what_leaves_the_range_of_numbers_is_called_that() {
    let report = json(&["values", "-"], "date,value\n2020-01-02,1e-300\n2020-01-03,1e300\n2020-01-06,1e300\n");
    assert!(notes(&report).contains("linking stops before 2020-01-03") && !notes(&report).contains("not positive"), "{report}");
}

#[test]
fn the_first_line_may_name_the_delimiter() {
    for text in ["sep=;\ndate;return\n2020-01-02;0,01\n2020-01-03;0,02\n", "SEP=|\r\ndate|return\r\n2020-01-02|0.01\r\n2020-01-03|0.02\r\n"]
    {
        near(figure(&json(&["-"], text), "cumulative_return"), 1.01 * 1.02 - 1.0);
    }
    assert!(refused(&["-"], "sep=;\n").contains("no rows"));
}
