//! A faulty wire: a proxy in front of the one broker that can harm EndTxn requests and answers, and can have the
//! broker say that the cluster has no brokers, as one says that its controller has fenced.
//!
//! It rewrites the broker's port in every answer to its own, so that clients stay behind it. Each
//! connection has two threads; a fault is used up by the first EndTxn that meets it.

use std::collections::{BTreeSet, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const PRODUCE: i16 = 0;
const METADATA: i16 = 3;
const END_TXN: i16 = 26;

/// What happens to one EndTxn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The broker acts, its answer is lost.
    LoseAnswer,
    /// The request is lost, and the connection with it.
    CutRequest,
    /// The broker acts, then the connection breaks before its answer.
    CutAnswer,
    /// The request stands still until the second Produce after it, and arrives just before that:
    /// inside the next transaction, when its BEGIN is written and its outputs are not.
    HoldIntoNextTransaction,
}

#[derive(Default)]
struct Plan {
    faults: VecDeque<Fault>,
    held: Option<Sender<()>>,
    produced: u32,
}

pub struct Wire {
    pub address: String,
    plan: Arc<Mutex<Plan>>,
    ends: Arc<AtomicU32>,
    closed: Arc<AtomicBool>,
    hidden: Arc<AtomicBool>,
    clients: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    /// A wire to the first of `brokers`.
    pub fn to(brokers: &str) -> Self {
        let upstream = brokers.split(',').next().expect("a broker").replace("localhost", "127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (plan, ends) = (Arc::<Mutex<Plan>>::default(), Arc::<AtomicU32>::default());
        let shared = (Arc::clone(&plan), Arc::clone(&ends));
        let (closed, clients) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let gate = (Arc::clone(&closed), Arc::clone(&clients));
        let hidden = Arc::<AtomicBool>::default();
        let hides = Arc::clone(&hidden);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if gate.0.load(Ordering::SeqCst) {
                    continue;
                }
                gate.1.lock().unwrap().extend(client.try_clone());
                let (plan, ends) = (Arc::clone(&shared.0), Arc::clone(&shared.1));
                let (upstream, hides) = (upstream.clone(), Arc::clone(&hides));
                thread::spawn(move || serve(client, &upstream, port, plan, &ends, hides));
            }
        });
        Self { address: format!("127.0.0.1:{port}"), plan, ends, closed, hidden, clients }
    }

    /// Breaks every connection; clients may connect again.
    pub fn cut(&self) {
        for client in self.clients.lock().unwrap().drain(..) {
            client.shutdown(Shutdown::Both).ok();
        }
    }

    /// Breaks every connection and accepts none.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Whether answers say that there are no brokers.
    pub fn hide_brokers(&self, hidden: bool) {
        self.hidden.store(hidden, Ordering::SeqCst);
    }

    /// Accepts connections again.
    pub fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
    }

    /// Harms the next EndTxn that is not yet meant to be harmed.
    pub fn harm(&self, fault: Fault) {
        self.plan.lock().unwrap().faults.push_back(fault);
    }

    /// How many EndTxn requests clients have sent.
    pub fn end_txns(&self) -> u32 {
        self.ends.load(Ordering::SeqCst)
    }

    /// Whether a request stands still.
    pub fn is_holding(&self) -> bool {
        self.plan.lock().unwrap().held.is_some()
    }
}

/// What becomes of answers whose requests were seen.
#[derive(Default)]
struct Marked {
    /// Answers that are lost, and whether the connection is too.
    lost: BTreeSet<(i32, bool)>,
    /// Metadata.
    metadata: BTreeSet<i32>,
}

fn serve(client: TcpStream, upstream: &str, port: u16, plan: Arc<Mutex<Plan>>, ends: &AtomicU32, hides: Arc<AtomicBool>) {
    let Ok(broker) = TcpStream::connect(upstream) else { return };
    client.set_nodelay(true).unwrap();
    broker.set_nodelay(true).unwrap();
    let marked = Arc::<Mutex<Marked>>::default();
    let real: u16 = upstream.rsplit(':').next().unwrap().parse().expect("a port");
    let answers = {
        let (client, broker) = (client.try_clone().unwrap(), broker.try_clone().unwrap());
        let marked = Arc::clone(&marked);
        thread::spawn(move || pass_answers(broker, client, &marked, &hides, real, port))
    };
    pass_requests(client, broker, &marked, &plan, ends);
    answers.join().unwrap();
}

fn pass_requests(mut client: TcpStream, mut broker: TcpStream, marked: &Mutex<Marked>, plan: &Mutex<Plan>, ends: &AtomicU32) {
    while let Some(frame) = frame(&mut client) {
        let api = i16::from_be_bytes([frame[4], frame[5]]);
        let correlation = i32::from_be_bytes(frame[8..12].try_into().unwrap());
        if api == METADATA {
            assert!(i16::from_be_bytes([frame[6], frame[7]]) >= 9, "answers are read in their newer form");
            marked.lock().unwrap().metadata.insert(correlation);
        }
        if api == PRODUCE {
            let held = due(&mut plan.lock().unwrap());
            if let Some(held) = held {
                held.send(()).ok();
                thread::sleep(Duration::from_millis(150));
            }
        }
        if api == END_TXN {
            ends.fetch_add(1, Ordering::SeqCst);
            let fault = plan.lock().unwrap().faults.pop_front();
            match fault {
                None => {}
                Some(Fault::LoseAnswer) => drop(marked.lock().unwrap().lost.insert((correlation, false))),
                Some(Fault::CutAnswer) => drop(marked.lock().unwrap().lost.insert((correlation, true))),
                Some(Fault::CutRequest) => break,
                Some(Fault::HoldIntoNextTransaction) => wait(&held(plan)),
            }
        }
        if broker.write_all(&frame).is_err() {
            break;
        }
    }
    client.shutdown(Shutdown::Both).ok();
    // What was held is on its way: let the broker act on it before the connection ends.
    thread::sleep(Duration::from_millis(300));
    broker.shutdown(Shutdown::Both).ok();
}

/// What a Produce sets free: the first one after the hold, nothing; the second, the request.
fn due(plan: &mut Plan) -> Option<Sender<()>> {
    plan.produced += 1;
    if plan.produced < 2 { None } else { plan.held.take() }
}

fn held(plan: &Mutex<Plan>) -> Receiver<()> {
    let (release, released) = channel();
    let mut plan = plan.lock().unwrap();
    plan.held = Some(release);
    plan.produced = 0;
    released
}

fn wait(released: &Receiver<()>) {
    released.recv_timeout(Duration::from_secs(60)).ok();
}

fn pass_answers(mut broker: TcpStream, mut client: TcpStream, marked: &Mutex<Marked>, hides: &AtomicBool, real: u16, port: u16) {
    while let Some(mut frame) = frame(&mut broker) {
        let correlation = i32::from_be_bytes(frame[4..8].try_into().unwrap());
        if marked.lock().unwrap().metadata.remove(&correlation) && hides.load(Ordering::SeqCst) {
            frame = without_brokers(&frame);
        }
        if marked.lock().unwrap().lost.remove(&(correlation, false)) {
            continue;
        }
        if marked.lock().unwrap().lost.remove(&(correlation, true)) {
            break;
        }
        rewrite(&mut frame, real, port);
        // A client that went away (after a held request) is no reason to leave the broker.
        client.write_all(&frame).ok();
    }
    client.shutdown(Shutdown::Both).ok();
}

/// One request or answer, its length included.
fn frame(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::Interrupted => return frame(from),
        Err(_) => return None,
        Ok(()) => {}
    }
    let mut frame = length.to_vec();
    frame.resize(4 + u32::from_be_bytes(length) as usize, 0);
    from.read_exact(&mut frame[4..]).ok()?;
    Some(frame)
}

/// An answer to Metadata, of version 9 or later, with an empty list of brokers.
fn without_brokers(frame: &[u8]) -> Vec<u8> {
    // Length, correlation, no tags, throttle time.
    let list = 4 + 4 + 1 + 4;
    let mut at = list;
    for _ in 1..varint(frame, &mut at) {
        at += 4; // Its number.
        at += varint(frame, &mut at) - 1; // Host.
        at += 4; // Port.
        at += varint(frame, &mut at).saturating_sub(1); // Rack, or none.
        assert_eq!(varint(frame, &mut at), 0, "no tags");
    }
    let rest = [&frame[4..list], &[1], &frame[at..]].concat();
    [&u32::try_from(rest.len()).unwrap().to_be_bytes()[..], &rest].concat()
}

fn varint(frame: &[u8], at: &mut usize) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = frame[*at];
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

/// Broker addresses in answers are a host text followed by the port as four bytes.
fn rewrite(frame: &mut [u8], real: u16, port: u16) {
    for host in ["127.0.0.1", "localhost"] {
        let pattern = [host.as_bytes(), &u32::from(real).to_be_bytes()].concat();
        let mut at = 0;
        while let Some(found) = frame[at..].windows(pattern.len()).position(|w| w == pattern) {
            at += found + pattern.len();
            frame[at - 4..at].copy_from_slice(&u32::from(port).to_be_bytes());
        }
    }
}
