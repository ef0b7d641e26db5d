//! SIGTERM: the step is finished, checkpoints are written, the process leaves within 5 s, and its
//! restart has nothing to compute again.

use crate::e2e::crew::{Shift, hire, lanes_of};
use std::time::Duration;
use system_tests::stack::Stack;

#[test]
fn an_orderly_stop_leaves_soon_and_nothing_to_replay() {
    let stack = Stack::ready("leaving");
    let mut crew = hire(&stack);
    let mut shift = Shift::begin(&stack, 41);
    for round in 0..2 {
        shift.work(Duration::from_secs(3));
        for (member, service) in crew.iter_mut().enumerate() {
            let (status, took) = service.terminate();
            println!("round {round}: {} left after {took:.1?}", service.name());
            assert!(status.success(), "{} left with {status}", service.name());
            assert!(took < Duration::from_secs(5), "{} took {took:?} to leave", service.name());
            service.restart(&stack);
            for lane in service.await_lanes(lanes_of(member)) {
                assert_eq!(lane.replayed, 0, "{} lane {} computed steps again", lane.role, lane.lane);
                assert!(lane.step > 0, "{} lane {} stands where it stood", lane.role, lane.lane);
            }
        }
    }
    shift.settle(&stack);
}

#[test]
fn every_role_in_one_process_leaves_as_soon() {
    let stack = Stack::ready("leaving-all");
    let mut all = system_tests::service::Service::start(&stack, &["all"], "1", &[]);
    all.await_lanes(12);
    let mut shift = Shift::begin(&stack, 42);
    shift.work(Duration::from_secs(3));
    let (status, took) = all.terminate();
    assert!(status.success() && took < Duration::from_secs(5), "left with {status} after {took:?}");
    all.restart(&stack);
    let replayed: u64 = all.await_lanes(12).iter().map(|lane| lane.replayed).sum();
    assert_eq!(replayed, 0, "steps computed again");
    shift.work(Duration::from_secs(1));
    shift.settle(&stack);
}
