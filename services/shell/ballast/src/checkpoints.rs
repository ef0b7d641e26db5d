//! The worker's checkpoints on Postgres: saved in the background, loaded whole and verified.

use crate::worker::ports::{CheckpointImage, Checkpoints, LoadError, LoadedImage, PortError, Saved};
use domain::SmolStr;
use engine::digest::entity_fingerprint;
use postgres_store::checkpoints::{CheckpointWrite, DEFAULT_BUCKETS, Entity, FullBucket, LaneKey, SaveOutcome, bucket_of};
use postgres_store::{Retry, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// The shared part's name among the fingerprints; no entity's key holds a zero byte.
const SHARED: &str = "\0shared";
/// Pauses after which a save is repeated whose outcome is not known.
const AGAIN: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// A lane's checkpoints.
pub struct PostgresCheckpoints {
    store: Store,
    runtime: Handle,
    key: LaneKey,
    lanes: u32,
    fingerprints: BTreeMap<SmolStr, u128>,
    saving: Option<Receiver<Ended>>,
    next_full: u16,
}

/// How a save ended.
struct Ended {
    saved: Saved,
    /// The bucket whose turn it is then, where that is known.
    next_full: Option<u16>,
}

impl From<Saved> for Ended {
    fn from(saved: Saved) -> Self {
        Self { saved, next_full: None }
    }
}

impl PostgresCheckpoints {
    /// The checkpoints of a role's lane in a deployment.
    pub fn new(store: Store, runtime: Handle, deployment: &str, role: &str, lane: u32, lanes: u32) -> Self {
        Self { store, runtime, key: LaneKey::new(deployment, role, lane), lanes, fingerprints: BTreeMap::new(), saving: None, next_full: 0 }
    }

    fn fingerprint(&self) -> [u8; 16] {
        self.fingerprints.values().fold(0, |sum, one| sum ^ one).to_be_bytes()
    }

    fn write_of(&mut self, image: CheckpointImage) -> Result<CheckpointWrite, PortError> {
        let shared = with_position(image.progress_from, &image.shared);
        self.fingerprints.insert(SmolStr::new_static(SHARED), entity_fingerprint(SHARED, &shared));
        for (key, bytes) in &image.changed {
            match bytes {
                Some(bytes) => self.fingerprints.insert(key.clone(), entity_fingerprint(key, bytes)),
                None => self.fingerprints.remove(key),
            };
        }
        let entity = |key: SmolStr, value| Entity { key: key.as_bytes().to_vec(), value };
        let full_bucket = image.full_bucket.map(|(bucket, entities)| FullBucket {
            bucket,
            entities: entities.into_iter().map(|(key, bytes)| entity(key, Some(bytes))).collect(),
        });
        let number = |step: i64| u64::try_from(step).map_err(PortError::of);
        Ok(CheckpointWrite {
            lane: self.key.clone(),
            step: number(image.step)?,
            parent_step: image.parent.map(number).transpose()?,
            lane_count: self.lanes,
            state_hash: self.fingerprint(),
            shared,
            buckets: DEFAULT_BUCKETS,
            dirty: image.changed.into_iter().map(|(key, value)| entity(key, value)).collect(),
            full_bucket,
        })
    }
}

fn with_position(progress_from: i64, shared: &[u8]) -> Vec<u8> {
    let mut bytes = progress_from.to_be_bytes().to_vec();
    bytes.extend_from_slice(shared);
    bytes
}

impl Checkpoints for PostgresCheckpoints {
    fn load(&mut self, generation: u8) -> Result<Option<LoadedImage>, LoadError> {
        let loaded = self.runtime.block_on(self.store.load_newest(&self.key, u32::from(generation))).map_err(|error| load_error(&error))?;
        let Some(loaded) = loaded else { return Ok(None) };
        self.next_full = loaded.next_full_bucket;
        let mut entities = BTreeMap::new();
        for (key, bytes) in loaded.entities {
            let key =
                String::from_utf8(key).map_err(|_| LoadError::Corrupt("the checkpoint has an entity whose key is not UTF-8".to_owned()))?;
            entities.insert(SmolStr::new(key), bytes);
        }
        self.fingerprints = entities.iter().map(|(key, bytes)| (key.clone(), entity_fingerprint(key, bytes))).collect();
        self.fingerprints.insert(SmolStr::new_static(SHARED), entity_fingerprint(SHARED, &loaded.shared));
        if self.fingerprint() != loaded.state_hash {
            let what = format!("the checkpoint of {} at step {} does not add up to its state hash", self.key, loaded.step);
            return Err(LoadError::Corrupt(what));
        }
        let Some((position, shared)) = loaded.shared.split_first_chunk::<8>() else {
            return Err(LoadError::Corrupt(format!("the checkpoint of {} at step {} has no position", self.key, loaded.step)));
        };
        Ok(Some(LoadedImage {
            step: i64::try_from(loaded.step).map_err(PortError::of)?,
            progress_from: i64::from_be_bytes(*position),
            shared: shared.to_vec(),
            entities: entities.into_iter().collect(),
        }))
    }

    fn save(&mut self, image: CheckpointImage) {
        let (tell, hear) = channel();
        self.saving = Some(hear);
        let step = image.step;
        let write = match self.write_of(image) {
            Ok(write) => write,
            Err(error) => {
                let _ = tell.send(Saved::Failed(error).into());
                return;
            }
        };
        let store = self.store.clone();
        let handed_over = Instant::now();
        self.runtime.spawn(async move {
            let ended = match save_until_known(&store, &write).await {
                Ok(SaveOutcome::Saved(saved)) => {
                    let bytes = usize::try_from(saved.bytes).unwrap_or(usize::MAX);
                    Ended { saved: Saved::Kept { step, bytes, took: handed_over.elapsed() }, next_full: Some(saved.next_full_bucket) }
                }
                Ok(SaveOutcome::LostRace { newest }) => {
                    Saved::Overtaken { newest: newest.map(|step| i64::try_from(step).unwrap_or(i64::MAX)) }.into()
                }
                Err(error) => Saved::Failed(PortError::later(&error)).into(),
            };
            // The worker may be gone; what was kept is kept.
            let _ = tell.send(ended);
        });
    }

    fn saved(&mut self, wait: Duration) -> Option<Saved> {
        let hear = self.saving.as_ref()?;
        let heard = if wait.is_zero() {
            hear.try_recv().map_err(|e| e == TryRecvError::Disconnected)
        } else {
            hear.recv_timeout(wait).map_err(|e| e == RecvTimeoutError::Disconnected)
        };
        match heard {
            Ok(ended) => {
                self.saving = None;
                self.next_full = ended.next_full.unwrap_or(self.next_full);
                Some(ended.saved)
            }
            Err(true) => {
                self.saving = None;
                Some(Saved::Failed(PortError::of("the checkpoint's writer has ended".to_owned())))
            }
            Err(false) => None,
        }
    }

    fn discard_newer(&mut self, step: i64) -> Result<(), PortError> {
        let step = u64::try_from(step).map_err(PortError::of)?;
        let discard = async {
            let listed = self.store.list(&self.key.deployment).await?;
            let newest = listed.iter().filter(|info| info.lane == self.key).map(|info| info.step).max().unwrap_or(step);
            self.store.discard_newer(&self.key, step, newest).await
        };
        self.runtime.block_on(discard).map(|_| ()).map_err(|error| PortError::later(&error))
    }

    fn bucket_in_turn(&self) -> u16 {
        self.next_full
    }

    fn bucket_of(&self, key: &str) -> u16 {
        bucket_of(key.as_bytes(), DEFAULT_BUCKETS)
    }
}

/// Repeats a save while nobody knows how it ended: the answer to its commit may have got lost, and the store
/// recognizes the same write.
async fn save_until_known(store: &Store, write: &CheckpointWrite) -> Result<SaveOutcome, StoreError> {
    for pause in AGAIN {
        match store.save(write).await {
            Err(error) if error.retry() == Retry::SameCall => tracing::debug!(lane = %write.lane, %error, "saving a checkpoint again"),
            ended => return ended,
        }
        tokio::time::sleep(pause).await;
    }
    store.save(write).await
}

/// A server that is out of memory, refuses a password or cannot be reached has not said that a checkpoint is
/// damaged: whatever is not a failed check waits until somebody has put it right.
fn load_error(error: &StoreError) -> LoadError {
    match error.retry() {
        Retry::OlderGeneration => LoadError::Corrupt(error.to_string()),
        Retry::SameCall | Retry::AfterReload | Retry::Never => LoadError::Store(PortError::later(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_check_leads_to_the_older_generation() {
        let corrupt = StoreError::CorruptCheckpoint { lane: "d/r/0".to_owned(), step: 7, what: "its checksum".to_owned() };
        assert!(matches!(load_error(&corrupt), LoadError::Corrupt(_)));
        for code in ["53100", "53200", "28P01", "42501", "driver"] {
            let refused = StoreError::Refused { doing: "loading", code: code.to_owned(), message: String::new(), advice: "" };
            assert!(matches!(load_error(&refused), LoadError::Store(error) if error.retry), "{code}");
        }
        let busy = StoreError::NoConnection { doing: "loading", address: "db:5432".into() };
        assert!(matches!(load_error(&busy), LoadError::Store(error) if error.retry));
    }
}
