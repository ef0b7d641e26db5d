//! Records that must all arrive or none, from somebody who owns no lane: one client, one transaction, gone.
//!
//! Promises that a reader of committed records sees all of them or, after an error, at most all of them: a commit
//! whose answer was lost may have happened. Whoever sends the same again must be understood as saying it once.

use crate::errors::CommitError;
use crate::lane_producer::Transactions as _;
use crate::message::Message;
use crate::settings::KafkaSettings;
use crate::transaction::TransactionalClient;
use std::sync::Arc;
use std::time::Duration;

/// How long the transaction's coordinator may take to answer at first, and to commit.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long ending an unfinished transaction may take.
const ABORT_LIMIT: Duration = Duration::from_secs(5);

/// Publishes records in one transaction. `name` tells this sending from others at the same time; an earlier one of
/// the same name that has not ended is ended first.
///
/// # Errors
/// [`CommitError`]; nothing of it is visible then, unless it is [`CommitError::Interrupted`] while committing.
pub fn publish_together(settings: &KafkaSettings, name: &str, messages: Vec<Message>) -> Result<(), CommitError> {
    let mut client = TransactionalClient::new(settings, &format!("{}.publish.{name}", settings.deployment), Arc::default())?;
    client.init(PATIENCE)?;
    let sent = client.begin().and_then(|()| client.acknowledged(&messages)).and_then(|()| client.end(PATIENCE));
    if sent.is_err() {
        client.abort_and_drop(ABORT_LIMIT);
    }
    sent
}
