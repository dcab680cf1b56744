//! What it means that an object is there no more. Somebody deleted it; or it went with its kind or its namespace, or a list lacked it: then nobody
//! said a word about it, whatever its deletion policy.

/// What objects live in: their kind (its CRD), or their namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// When it was made, seconds since 1970.
    pub since: i64,
    /// It is being removed.
    pub ends: bool,
}

/// What the API server has, asked after the object was missed: first for the object, then for its homes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The object is there.
    pub object: bool,
    /// Its kind.
    pub kind: Option<Home>,
    /// Its namespace; `None`: there is none, and that is no wonder only of a tenant that was Terminated.
    pub namespace: Option<Home>,
}

/// What an absence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Somebody deleted the object, and nothing else.
    Deleted,
    /// It went with its kind or its namespace: that is gone, or going, or is another than it lived in.
    Swept,
    /// It is not gone, or nobody knows yet.
    Unclear,
}

/// Judges an absence. `born`: by when the object was there, seconds since 1970; `None`: that does not matter. `namespace_counts`: its namespace was
/// not to go.
pub fn judge(found: Found, born: Option<i64>, namespace_counts: bool) -> Absence {
    let stands = |home: Option<Home>| home.is_some_and(|home| !home.ends && born.is_none_or(|born| home.since <= born));
    if found.object {
        Absence::Unclear
    } else if stands(found.kind) && (stands(found.namespace) || !namespace_counts) {
        Absence::Deleted
    } else {
        Absence::Swept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BORN: i64 = 1_795_000_000;

    fn home(since: i64, ends: bool) -> Home {
        Home { since, ends }
    }

    fn judged(kind: Option<Home>, namespace: Option<Home>) -> Absence {
        judge(Found { object: false, kind, namespace }, Some(BORN), true)
    }

    #[test]
    fn what_went_with_its_kind_or_namespace_was_not_deleted() {
        let old = Some(home(BORN, false));
        assert_eq!(judged(old, old), Absence::Deleted);
        for gone in [None, Some(home(BORN - 9, true)), Some(home(BORN + 1, false))] {
            assert_eq!(judged(gone, old), Absence::Swept, "{gone:?}");
            assert_eq!(judged(old, gone), Absence::Swept, "{gone:?}");
            let found = Found { object: false, kind: old, namespace: gone };
            assert_eq!(judge(found, Some(BORN), false), Absence::Deleted, "its tenant is to leave");
        }
    }

    #[test]
    fn a_list_that_lacks_what_is_there_is_no_absence() {
        let old = Some(home(BORN, false));
        assert_eq!(judge(Found { object: true, kind: old, namespace: old }, Some(BORN), true), Absence::Unclear);
    }

    #[test]
    fn of_what_is_retained_only_a_home_that_is_gone_now_matters() {
        let another = Some(home(BORN + 9, false));
        let found = |kind| Found { object: false, kind, namespace: another };
        assert_eq!(judge(found(another), None, true), Absence::Deleted);
        assert_eq!(judge(found(None), None, true), Absence::Swept);
    }
}
