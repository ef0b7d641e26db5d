//! What is sent: fills, and so many ticks with each. All at once, at one moment, or one by one.

use crate::client::Sender;
use crate::fills::{Stream, portfolio};
use crate::pace::wall;
use anyhow::Result;

/// Fills and ticks of one seed.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// The fills.
    pub stream: Stream,
    /// Ticks with each fill.
    pub ticks: u64,
}

impl Load {
    /// Sends fills as fast as it goes.
    pub fn publish(&self, brokers: &str, from: u64, count: u64) -> Result<()> {
        let sender = Sender::open(brokers, 5)?;
        self.send_all(&sender, from, count)?;
        sender.flush()
    }

    /// A backlog that nobody sees before it is whole: it becomes visible at one moment, which is printed.
    pub fn hold(&self, brokers: &str, from: u64, count: u64) -> Result<()> {
        let sender = Sender::open_transaction(brokers)?;
        self.send_all(&sender, from, count)?;
        sender.flush()?;
        println!("held");
        std::io::stdin().read_line(&mut String::new())?;
        println!("{}", serde_json::json!({"committed": wall().to_string()}));
        sender.commit()
    }

    fn send_all(&self, sender: &Sender, from: u64, count: u64) -> Result<()> {
        let mut value = Vec::new();
        (from..from + count).try_for_each(|n| self.send(sender, n, &mut value))
    }

    /// Sends the n-th fill and its ticks; `value` is room for one of them.
    pub fn send(&self, sender: &Sender, n: u64, value: &mut Vec<u8>) -> Result<()> {
        for tick in n * self.ticks..(n + 1) * self.ticks {
            value.clear();
            self.stream.write_tick(tick, value);
            sender.send("marketdata.ticks.v1", &Stream::ticked(tick), value)?;
        }
        value.clear();
        self.stream.write(n, value);
        sender.send("execution.fills.v1", &portfolio(self.stream.fill(n).portfolio), value)
    }
}
