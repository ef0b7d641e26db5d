//! How far a portfolio stands from its policy: bounds, the watch over them, and the event that tells it.
//! It plans nothing and orders nothing.

pub mod bounds;
pub mod event;
pub mod glance;
pub mod groups;
pub mod measure;
pub mod rules;
pub mod shadow;
pub mod watch;

pub use bounds::{Bounds, Standing};
pub use rules::Rules;
pub use shadow::Shadow;
pub use watch::{Request, Watch};
