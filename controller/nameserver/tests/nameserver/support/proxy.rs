//! What stands between a secondary and its primary, and can cut a transfer where it likes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a datagram's answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// What is done when a connection has had its octets.
type Cut = (usize, Box<dyn FnOnce() + Send>);

/// Hands on datagrams and connections to one port of the loopback, for as long as the tests run.
pub struct Proxy {
    pub address: SocketAddr,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl Proxy {
    pub fn to(port: u16) -> Self {
        let (listener, datagrams) = loop {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            // The port may be another's over UDP.
            if let Ok(datagrams) = UdpSocket::bind(listener.local_addr().unwrap()) {
                break (listener, datagrams);
            }
        };
        let proxy = Self { address: listener.local_addr().unwrap(), cut: Arc::default() };
        let cut = Arc::clone(&proxy.cut);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (requests, responses) =
                    ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
                let cut = Arc::clone(&cut);
                std::thread::spawn(move || hand_on(requests.0, requests.1, &Mutex::default()));
                std::thread::spawn(move || hand_on(responses.0, responses.1, &cut));
            }
        });
        std::thread::spawn(move || hand_on_datagrams(&datagrams, port));
        proxy
    }

    /// Cuts the next connection that answers with more than so many octets, and then does this; the receiver hears of it.
    pub fn cut_after(&self, octets: usize, then: impl FnOnce() + Send + 'static) -> Receiver<()> {
        let (sender, receiver) = mpsc::channel();
        let then = move || {
            then();
            sender.send(()).ok();
        };
        *self.cut.lock().unwrap() = Some((octets, Box::new(then)));
        receiver
    }
}

/// Hands on what comes, until one side ends or it is to be cut.
fn hand_on(mut from: TcpStream, mut to: TcpStream, cut: &Mutex<Option<Cut>>) {
    let (mut buffer, mut octets) = ([0; 4096], 0);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        octets += length;
        let due = cut.lock().unwrap().take_if(|(most, _)| octets > *most);
        if let Some((_, then)) = due {
            then();
            break;
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
    from.shutdown(Shutdown::Both).ok();
}

/// Hands on datagrams, each with a socket of its own.
fn hand_on_datagrams(socket: &UdpSocket, port: u16) {
    let mut buffer = [0; 4096];
    while let Ok((length, client)) = socket.recv_from(&mut buffer) {
        let (socket, request) = (socket.try_clone().unwrap(), buffer[..length].to_vec());
        std::thread::spawn(move || {
            let server = UdpSocket::bind("127.0.0.1:0").unwrap();
            server.set_read_timeout(Some(ANSWER)).unwrap();
            let mut answer = [0; 4096];
            server.send_to(&request, ("127.0.0.1", port)).ok();
            if let Ok(length) = server.recv(&mut answer) {
                socket.send_to(&answer[..length], client).ok();
            }
        });
    }
}
