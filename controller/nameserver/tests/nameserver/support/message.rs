//! Requests octet by octet, and sockets that send them as they are.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use data_encoding::BASE64;
use hickory_proto::op;
use hickory_proto::rr::RData;
use hickory_proto::serialize::binary::BinEncodable;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{KEY_NAME, SECRET, name, now};

/// How long an answer may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);
/// The octets of a whole MAC.
const MAC: usize = 32;
/// SOA and IXFR.
const SOA: u16 = 6;
const IXFR: u16 = 251;
/// The fudge of the requests: what RFC 8945 §10 recommends.
const FUDGE: u16 = 300;

/// A request.
#[derive(Clone)]
pub struct Message(pub Vec<u8>);

impl Message {
    /// A question, not signed, under the id 0x1234.
    pub fn query(zone: &str, type_number: u16) -> Self {
        let mut bytes = [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0].to_vec();
        name(zone).write_wire(&mut bytes);
        bytes.extend_from_slice(&type_number.to_be_bytes());
        bytes.extend_from_slice(&[0, 1]);
        Self(bytes)
    }

    /// A question signed now.
    pub fn signed(zone: &str, type_number: u16) -> Self {
        Self::query(zone, type_number).sign(now().into(), MAC)
    }

    /// A question for what has changed since a serial (RFC 1995 §3), signed now.
    pub fn incremental(zone: &str, serial: u32) -> Self {
        Self::query(zone, IXFR).with_serial(serial).sign(now().into(), MAC)
    }

    /// The same of a client that takes 1232 octets over UDP (RFC 6891).
    pub fn incremental_with_edns(zone: &str, serial: u32) -> Self {
        let mut message = Self::query(zone, IXFR).with_serial(serial);
        message.0[11] += 1;
        message.0.extend_from_slice(&[0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]);
        message.sign(now().into(), MAC)
    }

    /// With the SOA of the client's version in the authority section.
    fn with_serial(mut self, serial: u32) -> Self {
        self.0[9] += 1;
        self.0.extend_from_slice(&[0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
        self.0.extend_from_slice(&serial.to_be_bytes());
        self.0.extend_from_slice(&[0; 16]);
        self
    }

    /// Signs it with the transfer key at a time (seconds since 1970), with so many octets of the MAC (RFC 8945 §4).
    pub fn sign(mut self, time: u64, mac_length: usize) -> Self {
        let mut owner = Vec::new();
        name(KEY_NAME).write_wire(&mut owner);
        let algorithm = b"\x0bhmac-sha256\0";
        let timers = [&time.to_be_bytes()[2..], &FUDGE.to_be_bytes()].concat();
        let variables = [&owner[..], &[0, 255, 0, 0, 0, 0], algorithm, &timers, &[0; 4]].concat();
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(SECRET.as_bytes()).unwrap()).unwrap();
        mac.update(&self.0);
        mac.update(&variables);
        let mac = mac.finalize().into_bytes();
        let mac_size = u16::try_from(mac_length).unwrap().to_be_bytes();
        let id = [self.0[0], self.0[1]];
        let data = [&algorithm[..], &timers, &mac_size, &mac[..mac_length], &id, &[0; 4]].concat();
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        self.0 = [&self.0, &owner[..], &[0, 250, 0, 255, 0, 0, 0, 0], &length, &data].concat();
        self.0[11] += 1;
        self
    }

    /// Under another id; the signature holds (RFC 8945 §4.3.2).
    pub fn with_id(mut self, id: u16) -> Self {
        self.0[..2].copy_from_slice(&id.to_be_bytes());
        self
    }

    /// With other flags.
    pub fn with_flags(mut self, flags: u16) -> Self {
        self.0[2..4].copy_from_slice(&flags.to_be_bytes());
        self
    }
}

/// A response, read by a parser that is not ours.
#[derive(Debug)]
pub struct Answer {
    pub id: u16,
    pub rcode: u16,
    /// How many records are in its answer section.
    pub answers: usize,
    /// The serial of the SOA among them.
    pub serial: Option<u32>,
    /// The TSIG record's error and the length of its MAC, if it has one.
    pub tsig: Option<(u16, usize)>,
}

impl Answer {
    pub fn read(bytes: &[u8]) -> Self {
        let message = op::Message::from_vec(bytes).unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
        assert_eq!(message.metadata.message_type, op::MessageType::Response);
        let tsig = message.additionals.iter().find_map(|record| match &record.data {
            RData::TSIG(tsig) => Some((tsig.error.map_or(0, u16::from), tsig.mac.len())),
            _ => None,
        });
        let rcode = u16::from(message.metadata.response_code);
        let serial = message.answers.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some(soa.serial),
            _ => None,
        });
        Self { id: message.metadata.id, rcode, answers: message.answers.len(), serial, tsig }
    }
}

/// A record of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub type_number: u16,
    /// All of it in wire form, uncompressed.
    octets: Vec<u8>,
}

impl Record {
    fn of(message: &[u8]) -> Vec<Self> {
        let message = op::Message::from_vec(message).unwrap();
        assert_eq!(u16::from(message.metadata.response_code), 0);
        let record = |record: &hickory_proto::rr::Record| Self {
            type_number: record.record_type().into(),
            octets: record.to_bytes().unwrap(),
        };
        message.answers.iter().map(record).collect()
    }
}

/// Datagrams to the primary.
pub struct Udp(UdpSocket);

impl Udp {
    pub fn to(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    pub fn send(&self, message: &[u8]) {
        self.0.send(message).unwrap();
    }

    /// Sends it and waits for the answer.
    pub fn ask(&self, message: &[u8]) -> Answer {
        self.send(message);
        self.receive_or(|| format!("no answer to {message:02x?}"))
    }

    pub fn receive(&self) -> Answer {
        self.receive_or(|| "no answer".into())
    }

    fn receive_or(&self, what: impl FnOnce() -> String) -> Answer {
        let mut buffer = vec![0; 65_535];
        let length = self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{error}: {}", what()));
        Answer::read(&buffer[..length])
    }
}

/// A connection to the primary.
pub struct Tcp(TcpStream);

impl Tcp {
    pub fn to(port: u16) -> Self {
        Self::set_up(TcpStream::connect(("127.0.0.1", port)).unwrap())
    }

    /// From the address 127.0.0.`host`.
    pub async fn from(host: u8, port: u16) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0))).unwrap();
        let stream = socket.connect((IpAddr::from(Ipv4Addr::LOCALHOST), port).into()).await.unwrap();
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        Self::set_up(stream)
    }

    fn set_up(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Sends octets as they are; that the primary has hung up is seen when its answer is read.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).ok();
    }

    pub fn send(&mut self, message: &[u8]) {
        self.send_raw(&framed(message));
    }

    /// The next answer; `None` when the primary has hung up.
    pub fn receive(&mut self) -> Option<Answer> {
        Some(Answer::read(&self.receive_raw()?))
    }

    fn receive_raw(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 2];
        self.read(&mut length)?;
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        self.read(&mut message)?;
        Some(message)
    }

    /// All records of a transfer: it ends with the SOA that it began with (RFC 5936 §2.2, RFC 1995 §4).
    pub fn receive_transfer(&mut self) -> Vec<Record> {
        let mut records = Record::of(&self.receive_raw().unwrap());
        loop {
            let is_incremental = records.get(1).is_some_and(|record| record.type_number == SOA);
            let newest = records.iter().filter(|record| **record == records[0]).count();
            if records.len() == 1 || newest == if is_incremental { 3 } else { 2 } {
                return records;
            }
            records.extend(Record::of(&self.receive_raw().unwrap()));
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.0.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error) if [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset].contains(&error.kind()) => None,
            Err(error) => panic!("neither an answer nor an end: {error}"),
        }
    }

    pub fn ask(&mut self, message: &[u8]) -> Option<Answer> {
        self.send(message);
        self.receive()
    }
}

/// A message with its length before it (RFC 1035 §4.2.2).
pub fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}
