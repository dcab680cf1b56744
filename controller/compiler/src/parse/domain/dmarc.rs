//! `spec.mail.dmarc`.

use cst_api::{Date, Dmarc, DmarcPolicy, DmarcStage};

use crate::model::Address;
use crate::parse::Reader;

/// What DMARC asks receivers for, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DmarcModel {
    /// Before the first stage.
    pub policy: DmarcPolicy,
    /// Of names below that have none of their own.
    pub subdomains: Option<DmarcPolicy>,
    /// Of names below that do not exist.
    pub nonexistent: Option<DmarcPolicy>,
    /// Who gets the reports.
    pub reports: Vec<Address>,
    /// In the order of their days.
    pub stages: Vec<DmarcStage>,
}

impl DmarcModel {
    /// The policy of a day; `None`: before all stages.
    pub fn on(&self, today: Option<Date>) -> DmarcPolicy {
        let come = self.stages.iter().rfind(|stage| today.is_some_and(|today| stage.from <= today));
        come.map_or(self.policy, |stage| stage.policy)
    }

    /// The first stage after a day.
    pub fn next(&self, today: Date) -> Option<&DmarcStage> {
        self.stages.iter().find(|stage| stage.from > today)
    }
}

pub(super) fn read_dmarc(reader: &mut Reader, dmarc: &Dmarc) -> DmarcModel {
    let Dmarc { policy, subdomains, nonexistent, reports, stages } = dmarc;
    let mut read = Vec::new();
    for (index, text) in reports.iter().enumerate() {
        read.extend(reader.take(&format!("spec.mail.dmarc.reports[{index}]"), Address::parse(text)));
    }
    for (index, pair) in stages.windows(2).enumerate() {
        if let [before, after] = pair
            && after.from <= before.from
        {
            let message = format!(
                "{} does not come after {}: write the stages in the order of their days",
                after.from, before.from
            );
            reader.invalid(&format!("spec.mail.dmarc.stages[{}].from", index + 1), message);
        }
    }
    DmarcModel {
        policy: policy.unwrap_or_default(),
        subdomains: *subdomains,
        nonexistent: *nonexistent,
        reports: read,
        stages: stages.clone(),
    }
}
