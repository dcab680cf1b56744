//! A secondary that is away, in hours that pass at once.

use std::collections::HashSet;

use super::*;
use crate::catalog::Changes;
use crate::keyring::Keyring;
use crate::notify::{Observation, health::SILENT_AFTER};
use crate::tsig::TsigAlgorithm;

const ZONES: usize = 300;
/// How long the secondary is away.
const HOURS: u32 = 3;
/// How long all zones may take once it is back.
const RECOVERY: Duration = Duration::from_mins(2);

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

/// A socket in the place of a secondary, and a follower that follows it.
struct Followed {
    server: UdpSocket,
    commands: mpsc::UnboundedSender<Command>,
    observations: mpsc::UnboundedReceiver<Observation>,
}

impl Followed {
    async fn start() -> Self {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        let key = TsigKey::from_base64(name("k.example"), TsigAlgorithm::HmacSha256, secret).unwrap();
        let (sender, observations) = mpsc::unbounded_channel();
        let changes = Changes::new(true);
        let reporter =
            Reporter { observations: sender, catalog: name("catalog.example"), changes, counts: Arc::default() };
        let secondary = Secondary { name: "ns1".into(), address, key: key.name().clone() };
        let keys = Keys::new(Keyring::new([key]));
        let (commands, receiver) = mpsc::unbounded_channel();
        tokio::spawn(Follower::new(secondary, reporter, keys, Clock::system()).run(receiver));
        Self { server, commands, observations }
    }

    fn publish(&self, serial: u32, first: First) {
        for number in 0..ZONES {
            let zone = name(&format!("z{number}.example"));
            self.commands.send(Command::Publish { zone, serial, first }).unwrap();
        }
    }

    /// Takes what arrives for so long; how much it was.
    async fn swallow(&self, time: Duration) -> usize {
        let (end, mut buffer, mut count) = (Instant::now() + time, [0; 512], 0);
        while tokio::time::timeout_at(end, self.server.recv(&mut buffer)).await.is_ok() {
            count += 1;
        }
        count
    }

    /// Refuses all that arrives until every zone was told to be without a serial: an answer, if no good one.
    async fn refuse_all(&mut self) -> usize {
        let (mut buffer, mut told) = ([0; 512], HashSet::new());
        let mut asked = 0;
        while told.len() < ZONES {
            tokio::select! {
                received = self.server.recv_from(&mut buffer) => {
                    let (_, follower) = received.unwrap();
                    asked += 1;
                    buffer[2] |= 0x80;
                    buffer[3] = 5;
                    // Who refuses does not sign: the question alone comes back.
                    buffer[11] = 0;
                    let name = buffer[12..].iter().position(|octet| *octet == 0).unwrap();
                    self.server.send_to(&buffer[..12 + name + 5], follower).await.unwrap();
                }
                seen = self.observations.recv() => {
                    if let Observation::Serial { zone, .. } = seen.unwrap() {
                        told.insert(zone);
                    }
                }
            }
        }
        asked
    }
}

#[tokio::test(start_paused = true)]
async fn a_secondary_that_is_away_for_hours_costs_a_message_now_and_then_and_is_found_again() {
    let mut followed = Followed::start().await;
    followed.publish(1, First::Notify);
    let window = followed.swallow(TIMEOUT * 2).await;
    assert!((1..=WINDOW + SILENT_AFTER).contains(&window), "{window} at first");
    let hour = Duration::from_hours(1);
    for _ in 0..HOURS {
        let sent = followed.swallow(hour).await;
        let bound = usize::try_from(hour.as_secs() / TIMEOUT.as_secs()).unwrap();
        assert!((bound / 2..=bound + 1).contains(&sent), "{sent} messages an hour");
    }
    while followed.observations.try_recv().is_ok() {}
    followed.publish(2, First::Ask);
    let back = Instant::now();
    let asked = followed.refuse_all().await;
    assert!(back.elapsed() < RECOVERY, "{:?}, {asked} messages", back.elapsed());
}
