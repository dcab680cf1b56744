use cst_api::{Agreement, AgreementPhase, Date};

/// How long before its last day an agreement is said to be expiring, in days.
const NOTICE_DAYS: i64 = 90;
/// Days of grace of an agreement that names none.
const GRACE_DAYS: u16 = 90;

/// Where the agreement (convenzione) stands on a day. Both its first and its last day are in force.
pub fn agreement_phase(agreement: &Agreement, today: Date) -> AgreementPhase {
    let left = agreement.until.days() - today.days();
    let grace = i64::from(agreement.grace_days.unwrap_or(GRACE_DAYS));
    match left {
        _ if today < agreement.from => AgreementPhase::Future,
        _ if left > NOTICE_DAYS => AgreementPhase::Active,
        _ if left >= 0 => AgreementPhase::Expiring,
        _ if left >= -grace => AgreementPhase::Grace,
        _ => AgreementPhase::Expired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(grace_days: Option<u16>, today: &str) -> AgreementPhase {
        let day = |text| Date::parse(text).unwrap();
        let (from, until) = (day("2021-01-01"), day("2025-12-31"));
        agreement_phase(&Agreement { reference: "CSTPU 2021-2025".into(), from, until, grace_days }, day(today))
    }

    #[test]
    fn phases_change_on_the_right_day() {
        for (today, expected) in [
            ("2020-12-31", AgreementPhase::Future),
            ("2021-01-01", AgreementPhase::Active),
            ("2025-10-01", AgreementPhase::Active),
            ("2025-10-02", AgreementPhase::Expiring),
            ("2025-12-31", AgreementPhase::Expiring),
            ("2026-01-01", AgreementPhase::Grace),
            ("2026-03-31", AgreementPhase::Grace),
            ("2026-04-01", AgreementPhase::Expired),
        ] {
            assert_eq!(phase(None, today), expected, "{today}");
        }
    }

    #[test]
    fn grace_is_as_agreed() {
        assert_eq!(phase(Some(0), "2026-01-01"), AgreementPhase::Expired);
        assert_eq!(phase(Some(1), "2026-01-01"), AgreementPhase::Grace);
        assert_eq!(phase(Some(1), "2026-01-02"), AgreementPhase::Expired);
    }
}
