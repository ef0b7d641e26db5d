//! Figures of risk: the newest of each portfolio is kept, whatever its policy says of them today. They change no book, and
//! no day is closed for them: what follows from a close ends here.

use crate::keeper::PositionKeeper;
use domain::risk::Risk;

impl PositionKeeper {
    /// Takes a record in. One of a portfolio that nobody knows is of an earlier life: its next close brings another.
    pub(crate) fn take_risk(&mut self, record: &Risk) {
        let Some(ix) = self.find(&record.portfolio_id) else { return };
        if self.portfolio(ix).risk.is_newer(record) {
            let portfolio = self.portfolio_mut(ix);
            portfolio.risk.take(record, portfolio.policy.as_deref());
            if portfolio.policy.as_deref().is_some_and(|policy| policy.target_risk.is_some()) {
                self.marks.look(ix);
            }
        }
    }
}
