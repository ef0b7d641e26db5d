//! Orders as they leave: their ids for ever, their terms and deadlines, and the count of what has left
//! since the day cut. It writes down what a plan decided; it decides no quantity and no price.

pub mod budget;
pub mod day;
pub mod draft;
pub mod ids;
pub mod latch;
pub mod wave;
