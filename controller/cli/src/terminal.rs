//! What is read from whoever sits there.

use std::io::{self, IsTerminal as _, Stdin};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;

use crate::output;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPassword {
    /// The second one is another.
    #[error("the two passwords differ: nothing was changed")]
    Differ,
    /// The input ended before it.
    #[error("there is no password on standard input: nothing was changed")]
    Missing,
    /// Ctrl-C.
    #[error("interrupted: nothing was changed")]
    Interrupted,
    /// The terminal failed.
    #[error("the password cannot be read")]
    Read(#[from] io::Error),
}

/// A terminal that shows nothing of what is typed, until this goes.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes -= LocalModes::ECHO;
        // What was typed ahead was shown, and is not taken for a password.
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing can be told to a terminal that is gone.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.before).ok();
        output::tell("\n");
    }
}

/// A new password: from a terminal twice, shown to nobody; else the first line of standard input.
pub(crate) async fn new_password(whose: &str) -> Result<String, NoPassword> {
    if !io::stdin().is_terminal() {
        return line().await;
    }
    let first = hidden(&format!("New password of {whose}: ")).await?;
    let second = hidden("Once more: ").await?;
    if first == second { Ok(first) } else { Err(NoPassword::Differ) }
}

async fn hidden(prompt: &str) -> Result<String, NoPassword> {
    let _hidden = Hidden::new()?;
    output::tell(prompt);
    line().await
}

/// A line without its end. It is read by a thread of its own, which an interrupted command does not wait for.
async fn line() -> Result<String, NoPassword> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || sender.send(read_line(&io::stdin())));
    tokio::select! {
        read = receiver => read.unwrap_or(Err(NoPassword::Missing)),
        _ = tokio::signal::ctrl_c() => Err(NoPassword::Interrupted),
    }
}

fn read_line(input: &Stdin) -> Result<String, NoPassword> {
    let mut text = String::new();
    if input.read_line(&mut text)? == 0 {
        return Err(NoPassword::Missing);
    }
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
