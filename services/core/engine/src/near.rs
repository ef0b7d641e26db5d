//! Memory that is read before it is needed, so that it lies near by then. It decides nothing and changes nothing.

use std::hint::black_box;

/// Reads a value for its place in memory alone. Only what owns itself is taken: of a reference, which would be let through
/// unread, nothing would come near:
///
/// ```compile_fail
/// fn first_of(list: &[u64]) {
///     engine::near::read(list.first());
/// }
/// ```
#[inline(always)]
pub fn read<T: Copy + 'static>(value: T) -> T {
    black_box(value)
}
