//! `ballast metrics` as a shell sees it: files of every kind, wrong input by its place, and exit codes.

#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a test that cannot go on has failed, and figures are floats")]

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of one test's files, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ballast-metrics-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn metrics(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BALLAST_")) {
        command.env_remove(name);
    }
    let piped = command.arg("metrics").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn json(arguments: &[&str], input: &str) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
    let ended = metrics(&arguments, input);
    assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

fn figure(report: &Value, id: &str) -> f64 {
    let found = &report["figures"][id]["value"];
    found.as_f64().unwrap_or_else(|| panic!("{id} is {found} in {report}"))
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found} is not {expected}");
}

/// What it refuses: the text on standard error, with exit status 2 and nothing on standard output.
fn refused(arguments: &[&str], input: &str) -> String {
    let ended = metrics(arguments, input);
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(2), 0), "{arguments:?}: {told}");
    told
}

fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/golden/metrics").join(name);
    path.to_string_lossy().into_owned()
}

#[test]
fn the_figures_of_the_libraries_come_through_the_command() {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(golden("expected/monthly.json")).unwrap()).unwrap();
    let series = golden("series/monthly.csv");
    // The file has risk-free rates in a column; the figures that were made without them are read without it.
    let text = std::fs::read_to_string(&series).unwrap().replacen("risk_free", "other", 1);
    let report = json(&["returns", "-", "--periods-per-year", "12"], &text);
    let plain = expected["figures"].as_array().unwrap().iter().filter(|one| one["settings"].as_object().unwrap().is_empty());
    let mut held = 0;
    for one in plain {
        let (found, wanted) = (figure(&report, one["id"].as_str().unwrap()), one["value"].as_f64().unwrap());
        assert!((found - wanted).abs() <= 1e-10 * wanted.abs().max(1e-6), "{one}: {found}");
        held += 1;
    }
    assert!(held > 35, "{held}");
    let with_rates = json(&[&series, "--periods-per-year", "12", "--metric", "sharpe"], "");
    let wanted =
        expected["figures"].as_array().unwrap().iter().find(|one| one["settings"]["risk_free"] == "series" && one["id"] == "sharpe");
    near(figure(&with_rates, "sharpe"), wanted.unwrap()["value"].as_f64().unwrap());
}

#[test]
fn returns_in_csv_and_json_lines_are_the_same() {
    let csv = "Date;Ret;Bench\n2026-01-05;1%;0.005\n2026-01-06;(2.0%);-0.01\n2026-01-07;0.015;0.01\n";
    let lines = "{\"date\":\"2026-01-05\",\"return\":0.01,\"benchmark\":0.005}\n{\"date\":\"2026-01-06\",\"return\":\"-0.02\",\"benchmark\":-0.01}\n{\"date\":\"2026-01-07\",\"return\":0.015,\"benchmark\":0.01}\n";
    let (one, other) = (json(&["-"], csv), json(&["-"], lines));
    assert_eq!(one, other);
    near(figure(&one, "cumulative_return"), 1.01 * 0.98 * 1.015 - 1.0);
    near(figure(&one, "max_drawdown"), -0.02);
    assert_eq!((one["drawdowns"][0]["peak"].as_str(), one["drawdowns"][0]["trough"].as_str()), (Some("2026-01-05"), Some("2026-01-06")));
    assert!(one["drawdowns"][0]["recovery"].is_null());
    assert!(one["notes"][0].as_str().unwrap().contains("less than a year"));
}

#[test]
fn a_benchmark_of_its_own_file_is_joined_by_levels() {
    let folder = Folder::new("joined");
    let own = folder.file("own.csv", "date,nav\n2026-01-01,100\n2026-01-02,110\n2026-01-05,121\n2026-01-06,133.1\n");
    let index = folder.file("index.csv", "date,close\n2026-01-01,50\n2026-01-02,51\n2026-01-06,60\n");
    let report = json(&[&own, "--benchmark", &index], "");
    // The index has no level of the fifth: returns of both run from the second to the sixth.
    assert_eq!(report["observations"], 2);
    near(figure(&report, "benchmark_return"), 0.2);
    near(figure(&report, "cumulative_return"), 0.331);
    near(figure(&report, "best_day"), 0.21);
}

#[test]
fn an_account_with_flows() {
    let rows = "date,value,flow\n2025-01-01,100,\n2025-01-11,160,50\n2026-01-01,165,\n";
    let report = json(&["-"], rows);
    near(figure(&report, "time_weighted_return"), 160.0 / 150.0 * 165.0 / 160.0 - 1.0);
    near(figure(&report, "modified_dietz"), 15.0 / (100.0 + 50.0 * 355.0 / 365.0));
    near(figure(&report, "gain"), 15.0);
    let rate = figure(&report, "money_weighted_return");
    near(-100.0 - 50.0 / (1.0 + rate).powf(10.0 / 365.0) + 165.0 / (1.0 + rate), 0.0);
    let before =
        json(&["values", "-", "--flow-timing", "after-value"], "date,value,flow\n2026-01-01,100,\n2026-01-11,105,95\n2026-01-31,220,\n");
    near(figure(&before, "time_weighted_return"), 0.155);
}

#[test]
fn the_example_of_excel_as_a_spreadsheet_writes_it() {
    let rows = "Payments\tDates\n-10,000\t1/1/2008\n2,750\t3/1/2008\n4,250\t10/30/2008\n3,250\t2/15/2009\n2,750\t4/1/2009\n";
    let report = json(&["flows", "-", "--column", "date=Dates"], rows);
    let rate = figure(&report, "xirr");
    assert!((rate - 0.373_362_535).abs() < 2e-9, "{rate}");
    let several = json(&["flows", "-"], "-100\n230\n-132\n");
    near(figure(&several, "irr"), 0.1);
    assert_eq!((several["figures"]["irr"]["ambiguous"].as_bool(), several["roots"].as_array().unwrap().len()), (Some(true), 2));
    let none = json(&["-"], "date,amount\n2026-01-01,100\n2026-02-01,5\n");
    assert_eq!((none["figures"]["xirr"]["value"].is_null(), none["figures"]["xirr"]["reason"].as_str()), (true, Some("NO_SIGN_CHANGE")));
}

#[test]
fn closed_trades_and_their_groups() {
    let rows = "pnl,strategy,sector\n100,trend,tech\n-50,carry,tech\n0,trend,\n200,trend,energy\n-25,,energy\n";
    let report = json(&["-"], rows);
    for (id, expected) in [("win_rate", 0.4), ("profit_factor", 4.0), ("average_win", 150.0), ("average_loss", -37.5), ("expectancy", 45.0)]
    {
        near(figure(&report, id), expected);
    }
    let groups: Vec<(&str, &str)> = report["by_strategy"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["strategy"].as_str().unwrap(), row["profit"].as_str().unwrap()))
        .collect();
    assert_eq!(groups, [("trend", "300"), ("carry", "-50"), ("(residual)", "-25"), ("(total)", "225")]);
    let exact = json(&["trades", "-"], "pnl,strategy\n0.1,a\n0.2,a\n");
    assert_eq!(exact["by_strategy"][0]["profit"], "0.3");
}

#[test]
fn sectors_of_one_period_and_of_two() {
    let one =
        "sector,portfolio_weight,portfolio_return,benchmark_weight,benchmark_return\nUK,40,20,40,10\nJapan,30,-5,20,-4\nUS,30,6,40,8\n";
    let report = json(&["-", "--percent"], one);
    for (id, expected) in [("allocation", -0.012), ("selection", 0.03), ("interaction", 0.001), ("active_return", 0.019), ("residual", 0.0)]
    {
        near(figure(&report, id), expected);
    }
    let japan = report["sectors"].as_array().unwrap().iter().find(|row| row["sector"] == "Japan").unwrap();
    near(japan["allocation"].as_f64().unwrap(), -0.0104);
    let told = refused(&["-"], one);
    assert!(told.contains("not to 1; if they are per cent, say --percent"), "{told}");
    let two = "period,sector,wp,rp,wb,rb\n1,A,0.6,0.1,0.5,0.05\n1,B,0.4,0.02,0.5,0.01\n2,A,0.7,-0.05,0.5,0.02\n2,B,0.3,0.01,0.5,0.03\n";
    let report = json(&["-"], two);
    let (own, other) = (1.068 * (1.0 - 0.032) - 1.0, 1.03 * 1.025 - 1.0);
    near(figure(&report, "active_return"), own - other);
    near(figure(&report, "total_effect"), own - other);
    assert_eq!(report["linked"].as_array().unwrap().len(), 3);
}

#[test]
fn assets_with_weights() {
    let rows = "date,A,B\n2026-01-01,0.01,0.02\n2026-01-02,-0.01,0\n2026-01-03,0.02,-0.01\n2026-01-04,,0.01\n";
    let report = json(&["-", "--weights", "B=0.25,A=0.75"], rows);
    assert_eq!((report["observations"].as_u64(), report["gaps"].as_u64()), (Some(3), Some(1)));
    let parts: f64 = report["components"].as_array().unwrap().iter().map(|row| row["var_part"].as_f64().unwrap()).sum();
    near(parts, figure(&report, "value_at_risk"));
    near(report["correlation"][0]["B"].as_f64().unwrap(), -1.0 / 7.0);
    let faded = json(&["assets", "-", "--lambda", "0.5"], rows);
    near(faded["covariance"][0]["A"].as_f64().unwrap(), (0.25 * 1e-4 + 0.5 * 1e-4 + 4e-4) / 1.75);
    assert!(refused(&["-", "--weights", "C=1"], rows).contains("there is no asset \"C\"; the assets are A, B"));
}

#[test]
fn holdings_and_their_exposure() {
    let report = json(&["-", "--equity", "50"], "symbol,value,sector\nX,60,tech\nY,-30,energy\n");
    near(figure(&report, "net_exposure"), 0.6);
    near(figure(&report, "gross_exposure"), 1.8);
    near(figure(&report, "effective_number"), 1.8);
    near(report["sector_exposure"][0]["short"].as_f64().unwrap(), -0.6);
}

#[test]
fn windows_the_calendar_and_money_at_risk() {
    let rows = "date,return\n2025-12-31,0.01\n2026-01-02,-0.02\n2026-01-05,0.03\n2026-02-02,0.01\n";
    let report = json(
        &["-", "--window", "2", "--metric", "cumulative_return", "--by", "month", "--book-value", "1000", "--method", "historical"],
        rows,
    );
    assert_eq!(report["rolling"].as_array().unwrap().len(), 3);
    near(report["rolling"][0]["cumulative_return"].as_f64().unwrap(), 1.01 * 0.98 - 1.0);
    near(report["calendar"][1]["return"].as_f64().unwrap(), 0.98 * 1.03 - 1.0);
    let at_risk = &report["value_at_risk"][0];
    near(at_risk["var_money"].as_f64().unwrap(), at_risk["var"].as_f64().unwrap() * 1000.0);
    assert_eq!(report["figures"].as_object().unwrap().len(), 1);
    let to_date = json(&["-", "--metric", "mtd,ytd_return"], rows);
    near(figure(&to_date, "mtd_return"), 0.01);
    near(figure(&to_date, "ytd_return"), 0.98 * 1.03 * 1.01 - 1.0);
}

#[test]
fn other_shapes_of_the_same_input() {
    let plain = json(&["returns", "-"], "return,benchmark\n0.01,0.02\n-0.02,0.01\n");
    for text in [
        "Return (%),Benchmark %\n1,2\n-2,1\n",
        "return_pct\tbenchmark_pct\n1\t2\n-2\t1\n",
        "{\"return\": [0.01, -0.02],\n \"benchmark\": [0.02, 0.01]}",
        "[{\"return\": 0.01, \"benchmark\": 0.02}, {\"return\": -0.02, \"benchmark\": 0.01}]",
        "0.01,0.02\n-0.02,0.01\n",
    ] {
        assert_eq!(json(&["returns", "-"], text), plain, "{text}");
    }
    assert_eq!(json(&["--kind", "returns", "-", "--percent"], "return,benchmark\n1,2\n-2%,1\n"), plain);
    let backwards = json(&["-"], "date,return\n2026-01-07,0.02\n2026-01-06,-0.01\n2026-01-05,0.01\n");
    assert_eq!((backwards["from"].as_str(), backwards["to"].as_str()), (Some("2026-01-05"), Some("2026-01-07")));
    assert!(backwards["notes"].to_string().contains("put in the order of their dates"));
    let intraday = json(&["-"], "timestamp,return\n2026-01-05T10:00:00Z,0.01\n2026-01-05T16:00:00Z,0.02\n2026-01-06T16:00:00Z,0.03\n");
    assert_eq!(intraday["observations"], 2);
    near(intraday["best_and_worst"][0]["return"].as_f64().unwrap(), 1.01 * 1.02 - 1.0);
}

#[test]
fn rates_a_year_and_a_period() {
    let rows = "0.01\n-0.02\n0.03\n0.005\n";
    let daily = 1.05_f64.powf(1.0 / 252.0) - 1.0;
    let one = json(&["returns", "-", "--risk-free", "5%"], rows);
    let other = json(&["returns", "-", "--risk-free-period", &daily.to_string()], rows);
    near(figure(&one, "sharpe"), figure(&other, "sharpe"));
    assert!(figure(&one, "sharpe") < figure(&json(&["returns", "-"], rows), "sharpe"));
    let (one, other) = (json(&["returns", "-", "--mar-annual", "5%"], rows), json(&["returns", "-", "--mar", &daily.to_string()], rows));
    near(figure(&one, "omega"), figure(&other, "omega"));
    let column = json(&["returns", "-"], "return,rf_annual\n0.01,0.05\n-0.02,0.05\n0.03,0.05\n0.005,0.05\n");
    near(figure(&column, "sharpe"), figure(&json(&["returns", "-", "--risk-free", "0.05"], rows), "sharpe"));
}

#[test]
fn undefined_figures_are_null_with_a_reason_and_no_failure() {
    let flat = json(&["returns", "-"], "0.01\n0.01\n0.01\n");
    for (id, reason) in
        [("sharpe", "ZERO_VOLATILITY"), ("sortino", "NO_DOWNSIDE"), ("calmar", "NO_DRAWDOWN"), ("skewness", "ZERO_VOLATILITY")]
    {
        assert!(flat["figures"][id]["value"].is_null(), "{id}: {flat}");
        assert_eq!(flat["figures"][id]["reason"], reason, "{id}");
    }
    let single = json(&["returns", "-"], "0.01\n");
    assert_eq!(single["figures"]["volatility"]["text"], "it needs 2 observations and has 1");
}

#[test]
fn wrong_input_is_named_by_file_line_and_column() {
    let folder = Folder::new("wrong");
    for (text, words) in [
        ("date,return\n2026-01-05,0.01\n2026-01-06,abc\n", ", line 3, column \"return\": \"abc\" is no number"),
        ("date,return\n2026-01-05,NaN\n", ", line 2, column \"return\": \"NaN\" is no number; leave the field empty"),
        ("date,return\n2026-01-05,\"0,01\"\n", "write it with a decimal point"),
        ("date,return\n2026-02-30,0.01\n", ", line 2, column \"date\": \"2026-02-30\" is no date"),
        ("date,return\n2026-01-05,0.01\n2026-01-05,0.02\n", ", line 3, column \"date\": the same moment stands in line 2"),
        ("date,return\n1/5/2026,0.01\n", "--dates mdy or --dates dmy"),
        ("date,return\n2026-01-05,0.01,7\n", ", line 2: it has 3 fields"),
        ("date,return\n", "it has no rows"),
        ("", "it has no rows"),
        ("date,colour\n2026-01-05,red\n", "name the kind, such as ballast metrics returns FILE"),
        ("date,return,ret\n2026-01-05,0.1,0.2\n", "may both be the return: choose with --column return=HEADER"),
        ("date,value\n2026-01-05,100\n", "a return needs two"),
    ] {
        let file = folder.file("wrong.csv", text);
        let told = refused(&[&file], "");
        assert!(told.starts_with(&format!("ballast: {file}")) && told.contains(words), "{text:?}: {told}");
    }
    let lines = folder.file("wrong.jsonl", "{\"return\":0.1}\n{\"return\":}\n");
    assert!(refused(&[&lines], "").contains("wrong.jsonl, line 2: "));
}

#[test]
fn wrong_arguments_end_with_two() {
    assert!(refused(&["/nonexistent/returns.csv"], "").contains("opening /nonexistent/returns.csv: "));
    assert!(refused(&["nonsense", "-"], "return\n0.1\n").contains("no kind of input: they are returns, values, flows"));
    assert!(refused(&["-", "--metric", "sharp"], "return\n0.1\n").contains("did you mean sharpe?"));
    assert!(refused(&["-", "--metric", "xirr"], "return\n0.1\n").contains("it is a figure of flows, and the input is returns"));
    assert!(refused(&["-", "--confidence", "0"], "return\n0.1\n").contains("confidence cannot be 0"));
    assert!(refused(&["-", "--column", "retrun=x"], "return\n0.1\n").contains("did you mean return?"));
    assert!(refused(&["-", "--periods-per-year", "0"], "return\n0.1\n").contains("periods_per_year cannot be 0"));
    assert!(refused(&["-", "--risk-free", "two"], "return\n0.1\n").contains("write 0.02 or 2%"));
    assert!(refused(&["-", "--window", "5"], "return\n0.1\n").contains("there are 1 returns"));
    let told = refused(&["values", "-", "--window", "2", "--metric", "gain"], "value\n1\n2\n3\n");
    assert!(told.contains("gain is a figure of values and flows, and only those of returns roll"), "{told}");
    assert!(refused(&[], "").contains("FILE"));
}

#[test]
fn the_catalogue_and_the_help_teach() {
    let listed = metrics(&["--list"], "");
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.success() && text.contains("sharpe ") && text.contains("mean(r - rf) / std(r - rf)"), "{text}");
    let catalogue = json(&["--list"], "");
    assert!(catalogue["catalogue"].as_array().unwrap().len() > 80);
    let help = String::from_utf8(metrics(&["--help"], "").stdout).unwrap();
    for words in ["EXIT STATUS", "EXAMPLES", "brinson   [period,] sector", "--list"] {
        assert!(help.contains(words), "{words}: {help}");
    }
}
