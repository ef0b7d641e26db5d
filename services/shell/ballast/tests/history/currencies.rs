//! Two books in euros and in dollars, 2007 to 2009, at the reference rates of the European Central Bank. Both hold IBM in
//! dollars, a share in yen whose prices are made up, and cash in four currencies; they trade, exchange, pay fees in pounds
//! and earn IBM's dividends. The book in euros turns every rate round; the book in dollars takes yen and pounds across the
//! euro.
//!
//! The oracle is a second model in ratios: at each booking and each day it works everything out from the inputs. Where books
//! round (rates at twelve decimals, amounts converted or shared out at eighteen, publications at ten), it rounds.

use super::exact::{Exact, exact, near, rounded, whole};
use super::heard::{World, moment, table, told};
use domain::{Date, Topic};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// After the rates of the day, which are of 14:15 in Frankfurt, and the close in New York.
const EVENING: i64 = 21;
const PAID_AFTER: i32 = 30;

/// Prices of a day by instrument or pair.
type Prices = BTreeMap<String, Exact>;
/// The same, and as they are written.
type Quoted = (Prices, Vec<(String, String)>);

/// Units of `base` for one of `currency`.
fn rate(prices: &Prices, currency: &str, base: &str) -> Exact {
    let euros = |currency: &str| prices[&format!("EUR/{currency}")].clone();
    match (currency, base) {
        (same, base) if same == base => whole(1),
        ("EUR", base) => euros(base),
        (of, "EUR") => rounded(&(whole(1) / euros(of)), 12),
        // Across the euro, rounded once.
        (of, base) => rounded(&(euros(base) / euros(of)), 12),
    }
}

fn booked(value: &Exact) -> Exact {
    rounded(value, 18)
}

#[derive(Default, Clone)]
struct Line {
    units: Exact,
    cost: Exact,
    book_cost: Exact,
}

/// One book, by its own arithmetic.
struct Book {
    name: &'static str,
    base: &'static str,
    cash: BTreeMap<String, Exact>,
    book_cash: Exact,
    owed: BTreeMap<String, Exact>,
    book_owed: Exact,
    /// What is owed, by its day of payment: currency, amount, book value.
    due: Vec<(Date, String, Exact, Exact)>,
    lines: BTreeMap<String, Line>,
    realized: Exact,
    fees: Exact,
    income: Exact,
    flows: Exact,
}

impl Book {
    fn new(name: &'static str, base: &'static str) -> Self {
        let zero = || whole(0);
        Self {
            name,
            base,
            cash: BTreeMap::new(),
            book_cash: zero(),
            owed: BTreeMap::new(),
            book_owed: zero(),
            due: Vec::new(),
            lines: BTreeMap::new(),
            realized: zero(),
            fees: zero(),
            income: zero(),
            flows: zero(),
        }
    }
    fn rate(&self, prices: &Prices, currency: &str) -> Exact {
        rate(prices, currency, self.base)
    }
    fn pay(&mut self, currency: &str, amount: &Exact, book: &Exact) {
        *self.cash.entry(currency.to_owned()).or_insert_with(|| whole(0)) += amount;
        self.book_cash += book;
    }
    fn deposit(&mut self, prices: &Prices, currency: &str, amount: &Exact) {
        let book = booked(&(amount * self.rate(prices, currency)));
        self.pay(currency, amount, &book);
        self.flows += book;
    }
    fn fee(&mut self, prices: &Prices, currency: &str, amount: &Exact) {
        let book = booked(&(amount * self.rate(prices, currency)));
        self.pay(currency, &-amount, &-&book);
        self.fees += book;
    }
    /// Average cost; neither short nor through zero here.
    fn trade(&mut self, prices: &Prices, (share, currency): (&str, &str), units: &Exact, price: &Exact) {
        let gross = units * price;
        let book = booked(&(&gross * self.rate(prices, currency)));
        self.pay(currency, &-&gross, &-&book);
        let line = self.lines.entry(share.to_owned()).or_default();
        if *units > whole(0) {
            line.units += units;
            line.cost += gross;
            line.book_cost += book;
            return;
        }
        let sold = -units;
        assert!(sold <= line.units);
        let share = |of: &Exact| if sold == line.units { of.clone() } else { booked(&(of * &sold / &line.units)) };
        let (cost, book_cost) = (share(&line.cost), share(&line.book_cost));
        line.units -= &sold;
        line.cost -= cost;
        line.book_cost -= &book_cost;
        self.realized += -book - book_cost;
    }
    fn exchange(&mut self, prices: &Prices, (of, quoted): (&str, &str), units: &Exact, price: &Exact) {
        let gross = units * price;
        let book = booked(&(&gross * self.rate(prices, quoted)));
        self.pay(quoted, &-&gross, &-&book);
        self.pay(of, units, &book);
    }
    fn earn(&mut self, prices: &Prices, (share, currency): (&str, &str), each: &Exact, paid: Date) {
        let amount = self.lines.get(share).map_or_else(|| whole(0), |line| &line.units * each);
        let book = booked(&(&amount * self.rate(prices, currency)));
        *self.owed.entry(currency.to_owned()).or_insert_with(|| whole(0)) += &amount;
        self.book_owed += &book;
        self.income += &book;
        self.due.push((paid, currency.to_owned(), amount, book));
    }
    fn receive(&mut self, today: Date) {
        let (due, later): (Vec<_>, Vec<_>) = self.due.drain(..).partition(|(paid, ..)| *paid <= today);
        self.due = later;
        for (_, currency, amount, book) in due {
            *self.owed.get_mut(&currency).unwrap() -= &amount;
            self.book_owed -= &book;
            self.pay(&currency, &amount, &book);
        }
    }

    /// The book as it must be published.
    fn check(&self, world: &World, date: Date, prices: &Prices, shares: &BTreeMap<&str, &str>) {
        let snapshot = world.snapshot(self.name);
        let value = |amounts: &BTreeMap<String, Exact>| -> Exact {
            amounts.iter().map(|(currency, amount)| booked(&(amount * self.rate(prices, currency)))).sum()
        };
        let (cash, owed) = (value(&self.cash), value(&self.owed));
        let (mut holdings, mut book_cost) = (whole(0), whole(0));
        for (share, line) in &self.lines {
            holdings += booked(&(&line.units * &prices[share] * self.rate(prices, shares[share.as_str()])));
            book_cost += &line.book_cost;
        }
        let m = &snapshot.metrics;
        let is = |name: &str, figure: String, model: &Exact| {
            assert_eq!(exact(&figure), rounded(model, 10), "{date}: {} {name}", self.name);
        };
        is("total_value", snapshot.total_value.to_string(), &(&cash + &owed + &holdings));
        is("cash_value", snapshot.cash_value.to_string(), &cash);
        is("net_flows", m.net_flows.to_string(), &self.flows);
        // To the last unit: profit is equity less flows, and its parts add up to it.
        let (total, net) = (told(m.total_pnl), told(m.realized_net));
        assert_eq!(total, told(snapshot.total_value) - told(m.net_flows), "{date}: {}", self.name);
        assert_eq!(total, &net + told(m.unrealized) + told(m.fx_cash), "{date}: {}", self.name);
        assert_eq!(net, told(m.realized_gross) - told(m.fees) + told(m.income), "{date}: {}", self.name);
        // What roundings leave is carried by one of the parts: a few units of the last decimal.
        let about = |name: &str, figure: Exact, model: Exact| {
            assert!(near(&figure, &model, "0.0000000005"), "{date}: {} {name} {figure}, not {model}", self.name);
        };
        about("realized_gross", told(m.realized_gross), self.realized.clone());
        about("fees", told(m.fees), self.fees.clone());
        about("income", told(m.income), self.income.clone());
        about("unrealized", told(m.unrealized), holdings - book_cost);
        about("fx_cash", told(m.fx_cash), cash + owed - &self.book_cash - &self.book_owed);
        for balance in &snapshot.cash {
            assert_eq!(told(balance.trade_date), self.cash[balance.currency.as_str()], "{date}: {} {}", self.name, balance.currency);
        }
    }
}

/// The days, and what IBM pays for each share, by ex-date.
fn data() -> (BTreeMap<Date, Quoted>, BTreeMap<Date, String>) {
    let closes: BTreeMap<_, _> =
        table("stocks/history.csv").into_iter().filter(|row| row[1] == "IBM").map(|row| (row[0].clone(), row[2].clone())).collect();
    let mut days = BTreeMap::new();
    for (n, row) in (0_i64..).zip(table("rates/daily.csv")) {
        // Frankfurt has days on which New York is closed: they have no close of IBM.
        let Some(close) = closes.get(&row[0]) else { continue };
        let made_up = 1_000 + n * 37 % 211 - n % 13 * 9;
        let named = ["EUR/USD", "EUR/JPY", "EUR/GBP", "IBM", "YEN"].map(str::to_owned);
        let texts: Vec<_> =
            named.into_iter().zip([row[1].clone(), row[2].clone(), row[3].clone(), close.clone(), made_up.to_string()]).collect();
        let prices = texts.iter().map(|(name, text)| (name.clone(), exact(text))).collect();
        days.insert(row[0].parse().unwrap(), (prices, texts));
    }
    let dividends = table("stocks/actions.csv").into_iter().filter(|row| row[1] == "IBM" && ("2007-02".."2010").contains(&row[0].as_str()));
    let dividends: BTreeMap<Date, String> = dividends.map(|row| (row[0].parse().unwrap(), row[5].clone())).collect();
    (days, dividends)
}

fn facts() -> Vec<(Topic, Value)> {
    let pair =
        |id: &str, currency: &str| json!({"instrument_id": id, "type": "FX", "currency": currency, "max_price_age_seconds": 864_000});
    let share = |id: &str, currency: &str, venue: &str| json!({"instrument_id": id, "type": "EQUITY", "currency": currency, "venue": venue, "max_price_age_seconds": 864_000});
    let facts =
        [pair("EUR/USD", "USD"), pair("EUR/JPY", "JPY"), pair("EUR/GBP", "GBP"), share("IBM", "USD", "XNYS"), share("YEN", "JPY", "XTKS")];
    facts.into_iter().map(|facts| (Topic::Instruments, facts)).collect()
}

fn fill(
    book: &Book,
    id: &str,
    date: Date,
    (instrument, currency): (&str, &str),
    (units, price): (i64, &str),
    fee: Option<&str>,
) -> (Topic, Value) {
    let fees: Vec<_> = fee.iter().map(|amount| json!({"type": "commission", "amount": amount, "currency": "GBP"})).collect();
    let side = if units > 0 { "BUY" } else { "SELL" };
    let value = json!({"source": "oms", "exec_id": id, "trade_date": date.to_string(), "exec_type": "TRADE", "portfolio_id": book.name,
        "instrument_id": instrument, "side": side, "quantity": units.abs().to_string(), "price": price, "currency": currency, "fees": fees,
        "transact_time": moment(date, EVENING).to_string()});
    (Topic::Fills, value)
}

#[test]
fn three_years_in_three_currencies_tie_out_to_the_last_unit() {
    let (days, dividends) = data();
    let shares = BTreeMap::from([("IBM", "USD"), ("YEN", "JPY")]);
    let mut books = [Book::new("in-euros", "EUR"), Book::new("in-dollars", "USD")];
    let mut world = World::new();
    let mut known: Option<Prices> = None;
    for (n, (date, (prices, texts))) in (0_i64..).zip(&days) {
        let at = moment(*date, EVENING);
        // What falls on the day, falls on what was held and quoted the evening before.
        for book in &mut books {
            for (ex_date, each) in dividends.range(..=*date).rev().take(1).filter(|(day, _)| days.range(*day..).next().unwrap().0 == date) {
                book.earn(known.as_ref().unwrap(), ("IBM", "USD"), &exact(each), ex_date.plus_days(PAID_AFTER));
            }
            book.receive(*date);
        }
        if n == 0 {
            world.tell(at, &facts());
        }
        // Announced in the month before it takes effect, every week again.
        let ahead = dividends.range(*date..).take_while(|(day, _)| day.plus_days(-PAID_AFTER) <= *date).filter(|_| n % 5 == 0);
        let actions = ahead.map(|(day, each)| {
            let paid = day.plus_days(PAID_AFTER).to_string();
            let action = json!({"action_id": format!("IBM-{day}"), "instrument_id": "IBM", "status": "NEW", "kind": "CASH_DIVIDEND",
                "amount_per_share": each, "ex_date": day.to_string(), "pay_date": paid});
            (Topic::CorporateActions, action)
        });
        world.tell(at, &actions.collect::<Vec<_>>());
        let ticks = texts.iter().map(|(id, text)| (Topic::Ticks, json!({"instrument_id": id, "mark": text, "event_time": at.to_string()})));
        world.tell(at, &ticks.collect::<Vec<_>>());
        for book in &mut books {
            let mut records = Vec::new();
            if n == 0 {
                let book_rules = json!({"max_price_age_seconds": 864_000});
                records.push((
                    Topic::Policies,
                    json!({"portfolio_id": book.name, "policy_version": 1, "base_currency": book.base, "book": book_rules}),
                ));
                for (currency, amount) in [("EUR", "1000000"), ("USD", "2000000"), ("JPY", "90000000.5"), ("GBP", "5000.01")] {
                    book.deposit(prices, currency, &exact(amount));
                    records.push((
                        Topic::Cash,
                        json!({"source": "bank", "entry_id": format!("{}-{currency}", book.name), "portfolio_id": book.name, "kind": "DEPOSIT",
                            "currency": currency, "amount": amount, "effective_at": at.to_string()}),
                    ));
                }
            }
            let text = |id: &str| texts.iter().find(|(name, _)| name == id).unwrap().1.clone();
            for (share, currency) in &shares {
                let held = book.lines.get(*share).map_or_else(|| whole(0), |line| line.units.clone());
                let units = if n % 5 == 0 { 70 + n % 31 } else { -(n % 17) };
                if units == 0 || held + whole(units) < whole(0) {
                    continue;
                }
                let (price, fee) = (text(share), (n % 3 == 0).then_some("1.37"));
                book.trade(prices, (share, currency), &whole(units), &exact(&price));
                fee.iter().for_each(|fee| book.fee(prices, "GBP", &exact(fee)));
                records.push(fill(book, &format!("{share}-{n}"), *date, (share, currency), (units, &price), fee));
            }
            for (pair, of, quoted) in [("EUR/USD", "EUR", "USD"), ("EUR/JPY", "EUR", "JPY")] {
                if n % 20 != 7 {
                    continue;
                }
                let (units, price) = (if n % 40 == 7 { 3_001 } else { -2_999 }, text(pair));
                book.exchange(prices, (of, quoted), &whole(units), &exact(&price));
                records.push(fill(book, &format!("{pair}-{n}"), *date, (pair, quoted), (units, &price), None));
            }
            world.tell(at, &records);
        }
        world.digest();
        assert_eq!(world.troubles, Vec::<String>::new());
        books.iter().for_each(|book| book.check(&world, *date, prices, &shares));
        known = Some(prices.clone());
    }
    assert!(days.len() > 740, "{} days", days.len());
    assert_eq!(dividends.len(), 12);
    let report = world.judged();
    assert!(report.passed() && !report.notes.iter().any(|note| note.contains("leave the model")), "{report}");
}
