//! A proxy before the broker that delays replies, cuts connections, and swallows the replies of `EndTxn`: the broker has
//! committed, and whoever asked will never hear it.
//!
//! It knows of Kafka's protocol how a frame begins, and nothing else.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// `EndTxn` among the requests of Kafka's protocol.
const END_TXN: i16 = 26;
/// No frame of a test is larger.
const LARGEST: usize = 128 << 20;

/// A running proxy; it ends when it is dropped.
pub struct Proxy {
    state: Arc<State>,
    address: String,
}

#[derive(Default)]
struct State {
    closed: AtomicBool,
    delay_ms: AtomicU64,
    to_swallow: AtomicU64,
    swallowed: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Listens on one address for what is meant for the other.
    ///
    /// # Panics
    /// When the address is taken.
    pub fn open(address: &str, upstream: &str) -> Self {
        let listener = TcpListener::bind(address).expect("the proxy's port is free");
        let state = Arc::new(State::default());
        let (shared, upstream) = (Arc::clone(&state), upstream.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.closed.load(Ordering::Relaxed) {
                    return;
                }
                // Without a broker the client is hung up on, as by a port that nobody listens on.
                if let Ok(broker) = TcpStream::connect(&upstream) {
                    join(&shared, &client, &broker);
                }
            }
        });
        Self { state, address: address.to_owned() }
    }

    /// Every reply comes so much later, from now on.
    pub fn delay(&self, by: Duration) {
        self.state.delay_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Cuts every connection that there is.
    ///
    /// # Panics
    /// Never: nobody panics with the list in hand.
    pub fn cut(&self) {
        for stream in self.state.open.lock().expect("nobody panics with it").drain(..) {
            // Whoever has gone already needs no cut.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Swallows the next replies of `EndTxn`, each with its connection.
    pub fn swallow(&self, replies: u64) {
        self.state.to_swallow.fetch_add(replies, Ordering::Relaxed);
    }

    /// How many replies were swallowed.
    pub fn swallowed(&self) -> u64 {
        self.state.swallowed.load(Ordering::Relaxed)
    }

    /// Lets everything through again.
    pub fn calm(&self) {
        self.delay(Duration::ZERO);
        self.state.to_swallow.store(0, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::Relaxed);
        self.cut();
        // Wakes the listener.
        let _ = TcpStream::connect(&self.address);
    }
}

/// Passes frames on in both directions until one side ends.
fn join(state: &Arc<State>, client: &TcpStream, broker: &TcpStream) {
    let pair = || Some((client.try_clone().ok()?, broker.try_clone().ok()?));
    let (Some(kept), Some(asking), Some(answering)) = (pair(), pair(), pair()) else { return };
    for stream in [client, broker] {
        // Frames are whole when they are written: nothing is won by waiting for more.
        let _ = stream.set_nodelay(true);
    }
    state.open.lock().expect("nobody panics with it").extend([kept.0, kept.1]);
    let ends = Arc::new(Mutex::new(BTreeSet::new()));
    let asked = Arc::clone(&ends);
    std::thread::spawn(move || {
        let (mut from, mut to) = asking;
        while let Some(frame) = frame(&mut from) {
            if let Some(correlation) = correlation_of_end(&frame) {
                asked.lock().expect("nobody panics with it").insert(correlation);
            }
            if to.write_all(&frame).is_err() {
                break;
            }
        }
        hang_up(&from, &to);
    });
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        let (mut to, mut from) = answering;
        while let Some(frame) = frame(&mut from) {
            let delay = state.delay_ms.load(Ordering::Relaxed);
            if delay > 0 {
                std::thread::sleep(Duration::from_millis(delay));
            }
            if ends.lock().expect("nobody panics with it").remove(&number(&frame, 4)) && state.takes_one() {
                break;
            }
            if to.write_all(&frame).is_err() {
                break;
            }
        }
        hang_up(&from, &to);
    });
}

impl State {
    /// Whether a reply is to be swallowed; counts it.
    fn takes_one(&self) -> bool {
        let takes = self.to_swallow.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        self.swallowed.fetch_add(u64::from(takes), Ordering::Relaxed);
        takes
    }
}

fn hang_up(one: &TcpStream, other: &TcpStream) {
    // Either may have gone already.
    let _ = one.shutdown(Shutdown::Both);
    let _ = other.shutdown(Shutdown::Both);
}

/// A frame with its length; `None` at the end.
fn frame(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    from.read_exact(&mut head).ok()?;
    let length = usize::try_from(i32::from_be_bytes(head)).ok().filter(|length| (4..LARGEST).contains(length))?;
    let mut frame = head.to_vec();
    frame.resize(4 + length, 0);
    from.read_exact(&mut frame[4..]).ok()?;
    Some(frame)
}

/// The correlation id of a request that ends a transaction: length, key, version, correlation id.
fn correlation_of_end(frame: &[u8]) -> Option<i32> {
    let key = i16::from_be_bytes(frame.get(4..6)?.try_into().ok()?);
    (key == END_TXN && frame.len() >= 12).then(|| number(frame, 8))
}

fn number(frame: &[u8], at: usize) -> i32 {
    frame.get(at..at + 4).map_or(0, |bytes| i32::from_be_bytes(bytes.try_into().expect("four bytes")))
}

#[cfg(test)]
mod tests {
    use super::Proxy;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    /// Length, key, version and correlation id, as a request has them.
    fn request(key: i16, correlation: i32) -> Vec<u8> {
        [&8_i32.to_be_bytes()[..], &key.to_be_bytes(), &[0, 0], &correlation.to_be_bytes()].concat()
    }

    /// Answers each request with its correlation id alone.
    fn broker() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut asked = [0; 12];
                    while client.read_exact(&mut asked).is_ok() {
                        let reply = [&4_i32.to_be_bytes()[..], &asked[8..]].concat();
                        client.write_all(&reply).expect("the proxy listens");
                    }
                });
            }
        });
        address
    }

    fn ask(client: &mut TcpStream, key: i16, correlation: i32) -> Option<i32> {
        client.write_all(&request(key, correlation)).ok()?;
        let mut reply = [0; 8];
        client.read_exact(&mut reply).ok()?;
        Some(i32::from_be_bytes(reply[4..].try_into().expect("four bytes")))
    }

    #[test]
    fn replies_of_end_txn_are_swallowed_and_no_others() {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it listens").to_string();
        let proxy = Proxy::open(&free, &broker());
        let mut client = TcpStream::connect(&free).expect("the proxy listens");
        assert_eq!(ask(&mut client, 26, 7), Some(7));
        proxy.swallow(1);
        assert_eq!(ask(&mut client, 0, 8), Some(8));
        assert_eq!((ask(&mut client, 26, 9), proxy.swallowed()), (None, 1));
        let mut again = TcpStream::connect(&free).expect("the proxy listens");
        assert_eq!(ask(&mut again, 26, 10), Some(10));
        proxy.cut();
        assert_eq!(ask(&mut again, 0, 11), None);
    }
}
