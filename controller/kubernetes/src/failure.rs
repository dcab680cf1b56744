//! What an error says to whoever has to do something about it.

/// An error with all that it came from.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    for error in sources(error) {
        let answer = answer(error);
        let cause = answer.and_then(first_line).map_or_else(|| error.to_string(), str::to_owned);
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
        // What comes below repeats the API server's words as a structure.
        if answer.is_some() {
            break;
        }
    }
    text
}

/// What the API server says, where it answered and does not want what was written as it is: somebody has to change something.
pub fn refusal<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a str> {
    let status = sources(error).find_map(answer)?;
    // 404: its namespace is not there (yet). 408 and 429 say to come again, 409 that somebody else was faster.
    let is_refusal = matches!(status.code, 400..=499) && !matches!(status.code, 404 | 408 | 409 | 429);
    is_refusal.then_some(&*status.message)
}

fn sources<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

fn answer<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a kube::core::Status> {
    let boxed = error.downcast_ref::<Box<kube::Error>>().map(AsRef::as_ref);
    match error.downcast_ref::<kube::Error>().or(boxed)? {
        kube::Error::Api(status) => Some(status),
        _ => None,
    }
}

/// It may show the difference on further lines.
fn first_line(status: &kube::core::Status) -> Option<&str> {
    status.message.lines().next()
}
