//! What each kind of input does to the state: one file each.

mod amending;
mod cash;
mod commands;
mod fills;
mod frames;
mod policies;
mod seen;
mod settling;
mod waits;

pub use seen::Seen;
pub use waits::Waits;
