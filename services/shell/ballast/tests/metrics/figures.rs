//! Files of every kind, wrong input by its place, and exit codes.

use crate::shell::{Folder, figure, golden, json, metrics, near, refused};
use serde_json::Value;

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
    let csv = "Date;Ret;Bench\n2026-01-05;1%;0.005\n2026-01-06;(2.0%);-0.01\n2026-01-07;1.5%;0.01\n";
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
    // The index has no level of the fifth: returns beside it run from the second to the sixth, the account's own daily.
    assert_eq!((report["observations"].as_u64(), report["observations_with_benchmark"].as_u64()), (Some(3), Some(2)));
    near(figure(&report, "benchmark_return"), 0.2);
    near(figure(&report, "active_return"), 1.331_f64.powf(126.0) - 1.2_f64.powf(126.0));
    near(figure(&report, "cumulative_return"), 0.331);
    near(figure(&report, "best_day"), 0.1);
    assert!(report["notes"].to_string().contains("the benchmark: without 1 of the portfolio's 3 dates"), "{}", report["notes"]);
}

#[test]
fn a_benchmark_that_began_before_takes_no_return_from_the_portfolio() {
    let folder = Folder::new("began-before");
    let rows = "date,return\n2026-01-05,0.01\n2026-01-06,-0.005\n2026-01-07,0.02\n2026-01-08,0.0045\n";
    let index = "2026-01-05,0.008\n2026-01-06,-0.004\n2026-01-07,0.022\n2026-01-08,0.001\n";
    let (own, same) = (folder.file("own.csv", rows), folder.file("same.csv", &format!("date,return\n{index}")));
    let before = folder.file("before.csv", &format!("date,return\n2025-12-31,0.07\n2026-01-02,0.003\n{index}"));
    let gap = folder.file("gap.csv", &format!("date,return\n{}", index.replace("2026-01-06,-0.004\n", "")));
    let (alone, whole) = (json(&[&own], ""), json(&[&own, "--benchmark", &same], ""));
    let (longer, lacking) = (json(&[&own, "--benchmark", &before], ""), json(&[&own, "--benchmark", &gap], ""));
    // By hand: cov(r, b) / var(b) of the four pairs.
    near(figure(&whole, "beta"), 0.000_345_375 / 0.000_382_75);
    assert_eq!(longer["figures"], whole["figures"]);
    for report in [&longer, &lacking] {
        assert_eq!(report["observations"], 4);
        for id in ["cumulative_return", "volatility", "sharpe", "max_drawdown", "var_historical"] {
            assert_eq!(report["figures"][id], alone["figures"][id], "{id}");
        }
    }
    assert!(longer["notes"].to_string().contains("the benchmark: 2 dates left out that the portfolio has not"), "{}", longer["notes"]);
    assert_eq!((lacking["observations_with_benchmark"].as_u64(), lacking["figures"]["beta"]["observations"].as_u64()), (Some(3), Some(3)));
    near(figure(&lacking, "benchmark_return"), 1.008 * 1.022 * 1.001 - 1.0);
    assert!(lacking["notes"].to_string().contains("without 1 of the portfolio's 4 dates; figures with it leave them out"));
    // The same with rates of a file, and with an empty field in a column.
    let rated = json(&[&own, "--risk-free-file", &before], "");
    assert_eq!((rated["observations"].as_u64(), &rated["figures"]["volatility"]), (Some(4), &alone["figures"]["volatility"]));
    assert_eq!(rated["figures"]["sharpe"]["observations"], 4);
    let rated = json(&[&own, "--risk-free-file", &gap], "");
    assert_eq!((rated["figures"]["sharpe"]["observations"].as_u64(), rated["observations"].as_u64()), (Some(3), Some(4)));
    let column = json(&["returns", "-"], "return,benchmark\n0.01,0.008\n-0.005,\n0.02,0.022\n0.0045,0.001\n");
    near(figure(&column, "beta"), figure(&lacking, "beta"));
    near(figure(&column, "cumulative_return"), figure(&alone, "cumulative_return"));
    let rolled = json(&[&own, "--benchmark", &gap, "--window", "2", "--metric", "cumulative_return,beta"], "");
    let betas: Vec<bool> = rolled["rolling"].as_array().unwrap().iter().map(|row| row["beta"].is_number()).collect();
    assert_eq!(betas, [false, true, true]);
    let none = folder.file("none.csv", "date,return\n2020-01-05,0.008\n");
    assert!(refused(&[&own, "--benchmark", &none], "").contains("no period in common"));
}

#[test]
fn an_account_with_flows() {
    let rows = "date,value,flow\n2025-01-01,100,\n2025-01-11,160,50\n2026-01-01,165,\n";
    let report = json(&["-"], rows);
    near(figure(&report, "time_weighted_return"), 160.0 / 150.0 * 165.0 / 160.0 - 1.0);
    near(figure(&report, "modified_dietz"), 15.0 / (100.0 + 50.0 * 356.0 / 365.0));
    near(figure(&report, "modified_dietz_end"), 15.0 / (100.0 + 50.0 * 355.0 / 365.0));
    near(figure(&report, "gain"), 15.0);
    let rate = figure(&report, "money_weighted_return");
    near(-100.0 - 50.0 / (1.0 + rate).powf(10.0 / 365.0) + 165.0 / (1.0 + rate), 0.0);
    let before =
        json(&["values", "-", "--flow-timing", "after-value"], "date,value,flow\n2026-01-01,100,\n2026-01-11,105,95\n2026-01-31,220,\n");
    near(figure(&before, "time_weighted_return"), 0.155);
}

#[test]
fn a_flow_between_values_counts_on_its_own_day() {
    // The example of the modified Dietz method in Wikipedia; the money-weighted rate solves -100 - 50/x + 300/x^2 = 0.
    let rows = "date,value,flow\n2020-12-31,100,\n2021-12-31,,50\n2022-12-31,300,\n";
    let report = json(&["-"], rows);
    near(figure(&report, "modified_dietz_end"), 1.2);
    near(figure(&report, "money_weighted_return"), 0.5);
    near(figure(&report, "money_weighted_return_period"), 1.25);
    near(figure(&report, "gain"), 150.0);
    near(figure(&report, "net_flow"), 50.0);
    // Time-weighted there is only as the flow's timing says, and it says so.
    near(figure(&report, "time_weighted_return"), 1.0);
    assert_eq!((report["figures"]["time_weighted_return"]["approximate"].as_bool(), report["flows"].as_u64()), (Some(true), Some(1)));
    assert!(report["notes"].to_string().contains("1 flow on days without a value"), "{}", report["notes"]);
    near(figure(&json(&["-", "--flow-timing", "middle"], rows), "time_weighted_return"), 1.2);
    let table = String::from_utf8(metrics(&["-"], rows).stdout).unwrap();
    assert!(table.contains("100.0000 %  (approximate)"), "{table}");
    let outside = json(&["-"], "date,value,flow\n2026-01-01,,7\n2026-01-02,100,\n2026-01-03,110,\n2026-01-04,,9\n");
    near(figure(&outside, "gain"), 10.0);
    assert!(outside["notes"].to_string().contains("2 flows before the first value or after the last left out"));
    assert!(refused(&["-", "--flow-timing", "after-value"], rows).contains("line 3, column \"value\""));
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
    // Value at risk, shortfall and their parts come by one method, which each names.
    for (method, shortfall) in [("parametric", true), ("historical", true), ("cornish-fisher", false)] {
        let report = json(&["-", "--weights", "B=0.25,A=0.75", "--method", method, "--horizon", "4"], rows);
        for id in ["value_at_risk", "expected_shortfall"] {
            assert_eq!(report["figures"][id]["method"], method, "{id}");
        }
        let row = &report["components"][0];
        assert_eq!((row["method"].as_str(), row["var_part"].is_number(), row["es_part"].is_number()), (Some(method), shortfall, shortfall));
        if shortfall {
            assert!(figure(&report, "expected_shortfall") >= figure(&report, "value_at_risk"), "{method}");
            let parts: f64 = report["components"].as_array().unwrap().iter().map(|row| row["es_part"].as_f64().unwrap()).sum();
            near(parts, figure(&report, "expected_shortfall"));
        } else {
            assert_eq!((row["var_part_reason"].as_str(), row["es_part_reason"].as_str()), (Some("NO_METHOD"), Some("NO_METHOD")));
            assert_eq!(report["figures"]["expected_shortfall"]["reason"], "NO_METHOD");
        }
        let book = "0.0125\n-0.0075\n0.0125\n";
        let id = format!("var_{}", method.replace('-', "_"));
        let alone = json(&["returns", "-", "--horizon", "4", "--metric", &id], book);
        near(figure(&report, "value_at_risk"), figure(&alone, &id));
    }
    let table = String::from_utf8(metrics(&["-", "--weights", "B=0.25,A=0.75"], rows).stdout).unwrap();
    assert!(table.lines().any(|line| line.contains("expected_shortfall") && line.ends_with("(parametric)")), "{table}");
    let one = json(&["-", "--weights", "B=0.25,A=0.75", "--metric", "value_at_risk"], rows);
    near(figure(&one, "value_at_risk"), figure(&report, "value_at_risk"));
    assert!(refused(&["-", "--weights", "C=1"], rows).contains("there is no asset \"C\"; the assets are A, B"));
}

#[test]
fn holdings_and_their_exposure() {
    let report = json(&["-", "--equity", "50"], "symbol,value,sector\nX,60,tech\nY,-30,energy\n");
    near(figure(&report, "net_exposure"), 0.6);
    near(figure(&report, "gross_exposure"), 1.8);
    near(figure(&report, "effective_number"), 1.8);
    near(report["sector_exposure"][0]["short"].as_f64().unwrap(), -0.6);
    // Without equity there is no exposure, and the rest of the report stands.
    let report = json(&["-"], "symbol,value,sector\nX,60,tech\nY,-80,energy\n");
    assert!(report["notes"].to_string().contains("no exposure by sector, of an equity of -20"), "{report}");
    near(figure(&report, "largest_share"), 80.0 / 140.0);
    assert!(report["figures"]["net_exposure"]["value"].is_null() && report.get("sector_exposure").is_none(), "{report}");
}

#[test]
fn holdings_by_quantity_and_price() {
    let report = json(&["holdings", "-"], "instrument,quantity,price\nX,10,5\nY,-2,10\n");
    near(report["equity"].as_f64().unwrap(), 30.0);
    near(figure(&report, "gross_exposure"), 70.0 / 30.0);
    assert_eq!((report["valued_by"].as_str(), report["notes"].as_array().unwrap().len()), (Some("quantity x price"), 0));
    let futures = "ticker,qty,last price,multiplier,market value\nES,1,5000,50,\nX,10,5,,50\nCASH,,,,100\n";
    near(json(&["-"], futures)["equity"].as_f64().unwrap(), 250_150.0);
    let told = refused(&["-"], "instrument,quantity,price,value\nX,10,5,50\nY,-2,10,20\n");
    assert!(told.contains("line 3, column \"value\": 20 is not quantity x price, which is -20"), "{told}");
    let chosen = json(&["-", "--column", "value=value"], "instrument,quantity,price,value\nX,10,5,50\nY,-2,10,20\n");
    near(chosen["equity"].as_f64().unwrap(), 70.0);
    assert!(chosen["notes"].to_string().contains("columns that were not read: quantity, price"), "{}", chosen["notes"]);
    let unread = json(&["-"], "instrument,quantity,value,colour\nX,10,50,red\n");
    assert!(unread["notes"].to_string().contains("columns that were not read: quantity, colour"), "{}", unread["notes"]);
    for (rows, words) in [
        ("instrument,price\nX,5\n", "a price alone is no value"),
        ("instrument,quantity,price\nX,,5\n", "line 2, column \"quantity\": a number is missing here"),
        ("1,10,5\n2,-2,10\n", "give it a header such as instrument,quantity,price"),
        ("date,instrument,quantity,price\n2026-01-05,X,1,5\n2026-01-06,X,1,6\n", "holdings are those of one moment"),
    ] {
        let told = refused(&["holdings", "-"], rows);
        assert!(told.contains(words), "{rows:?}: {told}");
    }
    let told = refused(&["values", "-"], "date,value,close\n2026-01-05,1,2\n");
    assert!(told.contains("may both be the value: choose with --column value=HEADER"), "{told}");
}

#[test]
fn numbers_and_headers_as_spreadsheets_write_them() {
    let excel = "Values,Dates\n-10000,2008-01-01\n2750,2008-03-01\n4250,2008-10-30\n3250,2009-02-15\n2750,2009-04-01\n";
    assert!((figure(&json(&["flows", "-"], excel), "xirr") - 0.373_362_535).abs() < 2e-9);
    let unnamed = json(&["-"], excel);
    assert!(unnamed["notes"].to_string().contains("if these are cash flows, say ballast metrics flows FILE"), "{}", unnamed["notes"]);
    let empty = json(&["-"], "date,return\n2026-01-05,0.01\n2026-01-06,\n2026-01-07,0.02\n");
    for text in ["NaN", "#N/A", "N/A", "null", "-", "NA"] {
        assert_eq!(json(&["-"], &format!("date,return\n2026-01-05,0.01\n2026-01-06,{text}\n2026-01-07,0.02\n")), empty, "{text}");
    }
    let comma = json(&["-"], "date;return;colour\n05.01.2026;0,015;red\n06.01.2026;-0,025;blue\n");
    near(figure(&comma, "cumulative_return"), 1.015 * 0.975 - 1.0);
    assert!(comma["notes"].to_string().contains("numbers are read with a decimal comma"), "{}", comma["notes"]);
    assert!(comma["notes"].to_string().contains("columns that were not read: colour"), "{}", comma["notes"]);
    let grouped = json(&["values", "-"], "value;flow\n1.000,50;\n1.200,60;100\n");
    near(figure(&grouped, "gain"), 1200.6 - 1000.5 - 100.0);
    let exact = json(&["trades", "-"], "pnl;strategy\n1.000,10;a\n-0,2;a\n");
    assert_eq!(exact["by_strategy"][0]["profit"], "999.9");
    assert_eq!(figure(&json(&["returns", "-"], "0,015;0,01\n0,025;0,02\n"), "best_day"), 0.025);
    assert!(refused(&["-"], "date;return\n2026-01-05;0,5\n2026-01-06;0.5\n").contains("have different decimal signs: write all alike"));
    let quarters = json(&["-", "--periods-per-year", "4"], "date,return\n2018-Q1,0.01\n2018-Q2,0.02\n");
    assert_eq!((quarters["from"].as_str(), quarters["to"].as_str()), (Some("2018-03-31"), Some("2018-06-30")));
    let trades = json(&["-"], "pnl,time_of_day,venue\n1,open,A\n2,close,B\n3,open,A\n");
    assert_eq!(
        (trades["by_time_of_day"][0]["time_of_day"].as_str(), trades["by_time_of_day"][0]["profit"].as_str()),
        (Some("open"), Some("4"))
    );
    assert!(trades["notes"].to_string().contains("columns that were not read: venue"), "{}", trades["notes"]);
}

#[test]
fn a_name_that_says_no_method_is_that_of_the_flag() {
    let rows = "date,return\n2026-01-05,0.01\n2026-01-06,-0.03\n2026-01-07,0.02\n2026-01-08,-0.01\n";
    let all = json(&["-"], rows);
    for (method, id) in [("historical", "var_historical"), ("parametric", "var_parametric"), ("cornish-fisher", "var_cornish_fisher")] {
        let report = json(&["-", "--metric", "value_at_risk", "--method", method], rows);
        assert_eq!(report["figures"][id], all["figures"][id], "{method}");
    }
    assert!(refused(&["-", "--metric", "cvar", "--method", "cornish-fisher"], rows).contains("es_cornish_fisher"));
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
    let figures = |arguments: &[&str], text: &str| json(arguments, text)["figures"].clone();
    let plain = figures(&["returns", "-"], "return,benchmark\n0.01,0.02\n-0.02,0.01\n");
    for text in [
        "Return (%),Benchmark %\n1,2\n-2,1\n",
        "return_pct\tbenchmark_pct\n1\t2\n-2\t1\n",
        "{\"return\": [0.01, -0.02],\n \"benchmark\": [0.02, 0.01]}",
        "[{\"return\": 0.01, \"benchmark\": 0.02}, {\"return\": -0.02, \"benchmark\": 0.01}]",
        "0.01,0.02\n-0.02,0.01\n",
    ] {
        assert_eq!(figures(&["returns", "-"], text), plain, "{text}");
    }
    assert_eq!(figures(&["--kind", "returns", "-", "--percent"], "return,benchmark\n1,2\n-2%,1\n"), plain);
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
        ("date,return\n2026-01-05,inf\n", ", line 2, column \"return\": \"inf\" is no number; leave the field empty"),
        ("date,return\n2026-01-05,\"0,01\"\n", "write it with a decimal point"),
        ("date,return\n2026-01-05,\"0,015\"\n", "write it with a decimal point"),
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
    assert!(refused(&["-", "--metric", "win_rate"], "return\n0.1\n").contains("win_rate_periods is that of periods"));
    for confidence in ["0", "1", "1.5", "49", "100", "-0.5"] {
        let told = refused(&["-", &format!("--confidence={confidence}")], "return\n0.1\n");
        assert!(told.contains("between 50 and 100 for per cent: write 0.95 or 95%"), "{confidence}: {told}");
    }
    let at = |confidence| json(&["returns", "-", "--confidence", confidence], "0.1\n-0.1\n0.05\n")["value_at_risk"][0].clone();
    assert!([at("95"), at("95%")].iter().all(|one| *one == at("0.95")) && at("97.5")["confidence"] == 0.975);
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
    let listed = catalogue["catalogue"].as_array().unwrap();
    assert!(listed.len() > 80);
    // Every figure that a report has is listed for its kind.
    for (kind, arguments, rows) in [
        ("brinson", vec!["-"], "sector,wp,rp,wb,rb\nA,1,0.1,1,0.05\n"),
        ("assets", vec!["-", "--weights", "0.5,0.5", "--book-value", "9"], "A,B\n0.01,0.02\n-0.01,0\n0.02,0.01\n"),
        ("holdings", vec!["-"], "instrument,value\nX,1\n"),
        ("flows", vec!["flows", "-"], "-1\n2\n"),
        ("flows", vec!["flows", "-", "--risk-free", "1%"], "date,flow\n2026-01-01,-1\n2026-02-01,2\n"),
        ("returns", vec!["returns", "-", "--target-risk", "0.1"], "return,benchmark\n0.1,0.2\n0.2,0.1\n"),
    ] {
        for id in json(&arguments, rows)["figures"].as_object().unwrap().keys() {
            let found = |one: &Value| one["id"] == **id && one["needs"].as_str().unwrap().split(", ").any(|needs| needs == kind);
            assert!(listed.iter().any(found), "{kind}: {id}");
        }
    }
    let help = String::from_utf8(metrics(&["--help"], "").stdout).unwrap();
    for words in ["EXIT STATUS", "EXAMPLES", "brinson   [period,] sector", "--list"] {
        assert!(help.contains(words), "{words}: {help}");
    }
}
