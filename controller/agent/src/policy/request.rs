//! A question, as Postfix asks it.

use std::collections::BTreeMap;
use std::io;

use cst_compiler::model::Address;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest question, in octets; Postfix' own are below 2 KiB.
const MAX_REQUEST: u64 = 64 * 1024;

/// The attributes of a question, by their names.
#[derive(Debug, Default)]
pub(super) struct Request(BTreeMap<String, String>);

impl Request {
    /// Lines `name=value`, closed by an empty one; `None`: the connection ended.
    pub async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Self>> {
        let (mut request, mut line) = (Self::default(), String::new());
        let mut limited = stream.take(MAX_REQUEST);
        loop {
            line.clear();
            if limited.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            match line.trim_end_matches('\n').split_once('=') {
                Some((name, value)) => drop(request.0.insert(name.to_owned(), value.to_owned())),
                None if line == "\n" => return Ok(Some(request)),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// To whom the mail is, as the sender wrote it.
    pub fn recipient(&self) -> &str {
        self.get("recipient")
    }

    /// The envelope's sender; empty: none.
    pub fn sender(&self) -> &str {
        self.get("sender")
    }

    /// Who is logged in; empty: nobody.
    pub fn login(&self) -> &str {
        self.get("sasl_username")
    }

    /// To how many recipients a message goes, at DATA.
    pub fn recipients(&self) -> u32 {
        self.get("recipient_count").parse().unwrap_or_default()
    }

    /// The same question about another recipient, as it is sent.
    pub fn about(&self, recipient: &Address) -> String {
        let others = self.0.iter().filter(|(name, _)| *name != "recipient");
        others.fold(format!("recipient={recipient}\n"), |text, (name, value)| text + name + "=" + value + "\n") + "\n"
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut text: &[u8]) -> io::Result<Option<Request>> {
        Request::read(&mut text).await
    }

    #[tokio::test]
    async fn takes_the_attributes_and_asks_about_another() {
        let text = b"request=smtpd_access_policy\nrecipient=a=b@x.example\nsender=\nsize=7\n\nnext=1\n";
        let request = read(text).await.unwrap().unwrap();
        assert_eq!((request.recipient(), request.sender(), request.login()), ("a=b@x.example", "", ""));
        let other = request.about(&Address::parse("c@y.example").unwrap());
        assert_eq!(other, "recipient=c@y.example\nrequest=smtpd_access_policy\nsender=\nsize=7\n\n");
    }

    #[tokio::test]
    async fn refuses_what_is_no_question() {
        assert!(read(b"").await.unwrap().is_none());
        assert!(read(b"recipient=a@b.example\n").await.unwrap().is_none(), "cut");
        assert!(read(b"no attribute\n\n").await.is_err());
        assert!(read(&[b"a=\xff\n\n"[..].to_vec()].concat()).await.is_err());
        assert!(
            read(&[b"a=".to_vec(), vec![b'x'; 70_000]].concat()).await.is_ok_and(|request| request.is_none()),
            "endless"
        );
    }
}
