//! Every code that an operator meets has a page in `deploy/runbooks/codes`, and every page is of such a code: reasons,
//! dead letters, halts of lanes, alerts. A page says what the code means, where it is seen, what comes of it, what to
//! do, and what clears it. What a page says is true is for its writer to see.

use crate::tree::{Source, root, sources};
use ballast::worker::LaneHalt;
use domain::reason::{DeadLetterCode, ReasonCode};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use system_tests::monitoring::alerts;

const SECTIONS: [&str; 5] = ["## Meaning", "## Seen", "## Outcome", "## Do", "## Cleared by"];
/// The least that a section says.
const WORDS: usize = 3;

/// The closed lists.
fn codes() -> BTreeSet<String> {
    let reasons = ReasonCode::SYMBOLS.iter().chain(DeadLetterCode::SYMBOLS).filter(|symbol| **symbol != "UNKNOWN");
    let fixed = reasons.copied().chain(LaneHalt::CODES).map(str::to_owned);
    fixed.chain(alerts().into_iter().map(|alert| alert.name)).collect()
}

fn pages() -> Vec<Source> {
    let folder = "deploy/runbooks/codes/";
    sources(".md").into_iter().filter(|page| page.path.starts_with(folder)).collect()
}

fn code_of(page: &Source) -> String {
    page.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".md").to_owned()
}

/// What a page lacks.
fn faults(page: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    if !page.text.starts_with(&format!("# {}\n", code_of(page))) {
        wrong.push(format!("{}: it does not begin with its code", page.path));
    }
    let headings: Vec<&str> = page.text.lines().filter(|line| line.starts_with("## ")).collect();
    if headings != SECTIONS {
        wrong.push(format!("{}: its sections are {headings:?}, not {SECTIONS:?}", page.path));
    }
    for part in page.text.split("\n## ").skip(1) {
        let (heading, body) = part.split_once('\n').unwrap_or((part, ""));
        if body.split_whitespace().count() < WORDS && heading != "Cleared by" || body.trim().is_empty() {
            wrong.push(format!("{}: {heading} says nothing", page.path));
        }
    }
    wrong.extend(dead_links(page));
    wrong
}

fn dead_links(page: &Source) -> Vec<String> {
    let folder = root().join("deploy/runbooks/codes");
    let targets = page.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets.filter(|target| !folder.join(target).is_file()).map(|target| format!("{}: {target} is no file", page.path)).collect()
}

/// What stands between backticks outside of blocks, line by line.
fn quoted(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2).flat_map(str::lines);
    // Two backticks quote what holds one: other than words of a log.
    outside.filter(|line| !line.contains("``")).flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// Whether a quotation is a sentence of the service's: words, and nothing of commands, expressions or statements.
fn is_said(quotation: &str) -> bool {
    let of_others = ["ballast ", "Broker: "].iter().any(|start| quotation.starts_with(start));
    quotation.trim().contains(' ')
        && !of_others
        && !quotation.contains(['{', '}', '=', '<', '>', '_', '|', '*'])
        && !quotation.contains(" -")
}

/// The parts of a quotation between what differs from time to time that no source holds.
fn unsaid<'a>(quotation: &'a str, sources: &str) -> Vec<&'a str> {
    quotation.split('…').map(|part| part.trim_matches([' ', ':', ';', ','])).filter(|part| !sources.contains(part)).collect()
}

/// The service's sources, with each text on one line.
static SAID: LazyLock<String> = LazyLock::new(|| {
    let services = sources(".rs").into_iter().filter(|source| source.path.starts_with("services/"));
    let joined = |source: Source| source.text.split("\\\n").map(str::trim_start).collect::<String>();
    services.map(joined).collect()
});

#[test]
fn what_a_page_quotes_of_logs_stands_in_the_sources() {
    let pages = sources(".md").into_iter().filter(|page| page.path.starts_with("deploy/runbooks/"));
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in pages {
        for quotation in quoted(&page.text).into_iter().filter(|quotation| is_said(quotation)) {
            seen += 1;
            wrong.extend(unsaid(quotation, &SAID).iter().map(|part| format!("{}: {part:?} of `{quotation}`", page.path)));
        }
    }
    assert!(seen > 30, "only {seen} sentences were found");
    assert!(wrong.is_empty(), "no source says:\n{}", wrong.join("\n"));
}

#[test]
fn a_quotation_that_nothing_says_is_found() {
    let text = "It says `the lane … is gone` and `max(lanes) > 0`.\n```sh\nsome `words here`\n```\n| `no broker: …` |";
    let said: Vec<_> = quoted(text).into_iter().filter(|quotation| is_said(quotation)).collect();
    assert_eq!(said, ["the lane … is gone", "no broker: …"]);
    assert_eq!(unsaid(said[0], "the lane {lane} is gone"), [""; 0]);
    assert_eq!(unsaid(said[0], "the lane {lane} has gone"), ["is gone"]);
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let (codes, pages) = (codes(), pages());
    let written: BTreeSet<String> = pages.iter().map(code_of).collect();
    let missing: Vec<_> = codes.difference(&written).collect();
    assert!(missing.is_empty(), "no page in deploy/runbooks/codes: {missing:?}");
    let left_over: Vec<_> = written.difference(&codes).collect();
    assert!(left_over.is_empty(), "pages of codes that there are not: {left_over:?}");
    let wrong: Vec<_> = pages.iter().flat_map(faults).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_page_that_says_nothing_is_found() {
    let page = |text: &str| Source { path: "deploy/runbooks/codes/X.md".to_owned(), text: text.to_owned() };
    let whole = "# X\nA code.\n\n## Meaning\nIt means this.\n\n## Seen\nIt stands there.\n\n## Outcome\nREFUSED, and nothing leaves.\n\n## Do\nMend the cause.\n\n## Cleared by\nTime.\n";
    assert_eq!(faults(&page(whole)), [""; 0]);
    assert_eq!(faults(&page(&whole.replace("Mend the cause.", "Later"))).len(), 1);
    assert_eq!(faults(&page(&whole.replace("## Seen\nIt stands there.\n\n", ""))).len(), 1);
    assert_eq!(faults(&page(&whole.replace("# X", "# Y"))).len(), 1);
    assert_eq!(faults(&page(&whole.replace("Time.", "[Time](GONE.md)."))).len(), 1);
}
