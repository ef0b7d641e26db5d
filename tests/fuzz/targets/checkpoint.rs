//! Checkpoints: real images of real lanes, bent. One of them is put back or refused; what was put back is taken out again
//! as it is then, byte for byte.
//!
//! The bytes are: a lane, a part of it, then bends of three bytes each, (place, place, new byte); a last byte alone cuts.

mod lanes;

use engine::{Image, Lane, Role};
use lanes::{Kept, images};
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use std::sync::OnceLock;

fn kept() -> &'static [Kept] {
    static KEPT: OnceLock<Vec<Kept>> = OnceLock::new();
    KEPT.get_or_init(images)
}

/// How many entities there are to bend in the images of a role.
pub fn entities_of(role: &str) -> usize {
    kept().iter().filter(|image| image.role == role).map(|image| image.entities.len()).sum()
}

/// Bends an image and puts it back.
pub fn check(bytes: &[u8]) {
    let [lane, part, bends @ ..] = bytes else { return };
    let kept = kept();
    let mut image = kept[usize::from(*lane) % kept.len()].clone();
    let part = usize::from(*part) % (image.entities.len() + 1);
    let bent = if part == 0 { &mut image.shared } else { &mut image.entities[part - 1].1 };
    for bend in bends.chunks(3) {
        match *bend {
            [high, low, new] if !bent.is_empty() => {
                let at = usize::from(u16::from_be_bytes([high, low])) % bent.len();
                bent[at] = new;
            }
            [cut] => bent.truncate(usize::from(cut)),
            _ => {}
        }
    }
    match image.role {
        "position-keeper" => put_back::<PositionKeeper>(&image),
        "rebalancer" => put_back::<Rebalancer>(&image),
        "performance-tracker" => put_back::<PerformanceTracker>(&image),
        other => panic!("{other} keeps no lane here"),
    }
}

fn put_back<R: Role + Default>(image: &Kept) {
    let Some(mut lane) = restored::<R>(image) else { return };
    let taken = lanes::taken(&mut lane);
    let mut again = restored::<R>(&taken).expect("what was taken out is put back");
    assert!(lanes::taken(&mut again) == taken, "an image of an image is another one");
}

fn restored<R: Role + Default>(image: &Kept) -> Option<Lane<R>> {
    let mut lane = Lane::restore(R::default(), 0, &image.shared).ok()?;
    for (key, bytes) in &image.entities {
        lane.image().restore_entity(key, bytes).ok()?;
    }
    lane.image().restored().ok()?;
    Some(lane)
}
