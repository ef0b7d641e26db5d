//! The worker's checkpoints on Postgres: saved in the background, loaded whole and verified.

use crate::worker::ports::{CheckpointImage, Checkpoints, LoadedImage, PortError, Saved};
use domain::SmolStr;
use engine::digest::entity_fingerprint;
use postgres_store::checkpoints::{CheckpointWrite, DEFAULT_BUCKETS, Entity, FullBucket, LaneKey, SaveOutcome, bucket_of};
use postgres_store::{Retry, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// The shared part's name among the fingerprints; no entity's key holds a zero byte.
const SHARED: &str = "\0shared";

/// A lane's checkpoints.
pub struct PostgresCheckpoints {
    store: Store,
    runtime: Handle,
    key: LaneKey,
    lanes: u32,
    fingerprints: BTreeMap<SmolStr, u128>,
    saving: Option<Receiver<Saved>>,
}

impl PostgresCheckpoints {
    /// The checkpoints of a role's lane in a deployment.
    pub fn new(store: Store, runtime: Handle, deployment: &str, role: &str, lane: u32, lanes: u32) -> Self {
        Self { store, runtime, key: LaneKey::new(deployment, role, lane), lanes, fingerprints: BTreeMap::new(), saving: None }
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
    fn load(&mut self, generation: u8) -> Result<Option<LoadedImage>, PortError> {
        let loaded = self.runtime.block_on(self.store.load_newest(&self.key, u32::from(generation))).map_err(|error| port_error(&error))?;
        let Some(loaded) = loaded else { return Ok(None) };
        let mut entities = BTreeMap::new();
        for (key, bytes) in loaded.entities {
            let key =
                String::from_utf8(key).map_err(|_| PortError::of("the checkpoint has an entity whose key is not UTF-8".to_owned()))?;
            entities.insert(SmolStr::new(key), bytes);
        }
        self.fingerprints = entities.iter().map(|(key, bytes)| (key.clone(), entity_fingerprint(key, bytes))).collect();
        self.fingerprints.insert(SmolStr::new_static(SHARED), entity_fingerprint(SHARED, &loaded.shared));
        if self.fingerprint() != loaded.state_hash {
            return Err(PortError::of(format!("the checkpoint of {} at step {} does not add up to its state hash", self.key, loaded.step)));
        }
        let Some((position, shared)) = loaded.shared.split_first_chunk::<8>() else {
            return Err(PortError::of(format!("the checkpoint of {} at step {} has no position", self.key, loaded.step)));
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
                let _ = tell.send(Saved::Failed(error));
                return;
            }
        };
        let store = self.store.clone();
        let handed_over = Instant::now();
        self.runtime.spawn(async move {
            let saved = match store.save(&write).await {
                Ok(SaveOutcome::Saved(saved)) => {
                    let bytes = usize::try_from(saved.bytes).unwrap_or(usize::MAX);
                    Saved::Kept { step, bytes, took: handed_over.elapsed() }
                }
                Ok(SaveOutcome::LostRace { .. }) => Saved::Overtaken,
                Err(error) => Saved::Failed(port_error(&error)),
            };
            // The worker may be gone; what was kept is kept.
            let _ = tell.send(saved);
        });
    }

    fn saved(&mut self, wait: Duration) -> Option<Saved> {
        let hear = self.saving.as_ref()?;
        let heard = if wait.is_zero() {
            hear.try_recv().map_err(|e| e == TryRecvError::Disconnected)
        } else {
            hear.recv_timeout(wait).map_err(|_| false)
        };
        match heard {
            Ok(saved) => {
                self.saving = None;
                Some(saved)
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
        self.runtime.block_on(discard).map(|_| ()).map_err(|error| port_error(&error))
    }

    fn buckets(&self) -> u16 {
        DEFAULT_BUCKETS
    }

    fn bucket_of(&self, key: &str) -> u16 {
        bucket_of(key.as_bytes(), DEFAULT_BUCKETS)
    }
}

fn port_error(error: &StoreError) -> PortError {
    match error.retry() {
        Retry::SameCall => PortError::later(error),
        Retry::AfterReload | Retry::OlderGeneration | Retry::Never => PortError::of(error),
    }
}
