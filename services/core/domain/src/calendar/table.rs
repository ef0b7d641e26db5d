//! Every calendar by its names. The texts are read once, when one is first asked for.

use super::exchange::Exchange;
use super::{ALWAYS, Calendar, Kind, WEEKDAYS};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Names a text for each code.
macro_rules! texts {
    ($($code:literal)*) => { &[$(($code, include_str!(concat!("../../calendars/", $code, ".txt")))),*] };
}

/// The texts of the exchanges.
const TEXTS: &[(&str, &str)] = texts! {
    "BVMF" "CMES" "IEPA" "XAMS" "XASX" "XBKK" "XBOM" "XBRU" "XBUD" "XCBF" "XCSE" "XDUB" "XETR" "XEUR" "XFRA" "XHEL" "XHKG"
    "XIDX" "XIST" "XJSE" "XKLS" "XKRX" "XLIS" "XLON" "XMAD" "XMEX" "XMIL" "XNYS" "XNZE" "XOSL" "XPAR" "XPRA" "XSAU" "XSES"
    "XSHG" "XSTO" "XSWX" "XTAI" "XTKS" "XTSE" "XWAR" "XWBO"
};

static CALENDARS: LazyLock<Vec<Calendar>> = LazyLock::new(|| {
    let exchange = |(name, text): &(&'static str, &'static str)| {
        let read = Exchange::read(text).unwrap_or_else(|| panic!("the sessions of {name} that are compiled in can be read"));
        Calendar { name, kind: Kind::Exchange(read) }
    };
    let others = [(ALWAYS, Kind::Always), (WEEKDAYS, Kind::Weekdays)].map(|(name, kind)| Calendar { name, kind });
    TEXTS.iter().map(exchange).chain(others).collect()
});

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Calendar>> = LazyLock::new(|| {
    let mut by_name = BTreeMap::new();
    for calendar in CALENDARS.iter() {
        let also: &[&str] = match &calendar.kind {
            Kind::Exchange(exchange) => &exchange.also,
            Kind::Always | Kind::Weekdays => &[],
        };
        for name in std::iter::once(&calendar.name).chain(also) {
            assert!(by_name.insert(*name, calendar).is_none(), "{name} names two calendars");
        }
    }
    by_name
});

pub(super) fn find(name: &str) -> Option<&'static Calendar> {
    BY_NAME.get(name).copied()
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}
