//! All that somebody may do, as the API server itself says it.

use std::collections::BTreeSet;

use k8s_openapi::api::authorization::v1::{SelfSubjectRulesReview, SelfSubjectRulesReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};

use super::member_of;

/// What somebody may do in a namespace beyond what everybody may who is logged in: `VERB RESOURCE[.GROUP][/NAME]`.
pub async fn rules(client: &Client, namespace: &str) -> BTreeSet<String> {
    let nobody = all(&member_of("nobody").await, namespace).await;
    all(client, namespace).await.difference(&nobody).cloned().collect()
}

async fn all(client: &Client, namespace: &str) -> BTreeSet<String> {
    let spec = SelfSubjectRulesReviewSpec { namespace: Some(namespace.into()) };
    let review = SelfSubjectRulesReview { spec, ..SelfSubjectRulesReview::default() };
    let review = Api::all(client.clone()).create(&PostParams::default(), &review).await.unwrap();
    let mut rules = BTreeSet::new();
    for rule in review.status.unwrap().resource_rules {
        let (groups, resources) = (rule.api_groups.unwrap_or_default(), rule.resources.unwrap_or_default());
        let names = rule.resource_names.filter(|names| !names.is_empty());
        let names: Vec<String> =
            names.map_or_else(|| vec![String::new()], |names| names.iter().map(|n| format!("/{n}")).collect());
        for verb in &rule.verbs {
            for group in &groups {
                let group = if group.is_empty() { String::new() } else { format!(".{group}") };
                for resource in &resources {
                    rules.extend(names.iter().map(|name| format!("{verb} {resource}{group}{name}")));
                }
            }
        }
    }
    rules
}

/// Rules, each verb of the first list with each resource of the second.
pub fn each(verbs: &[&str], resources: &[&str]) -> BTreeSet<String> {
    verbs.iter().flat_map(|verb| resources.iter().map(move |resource| format!("{verb} {resource}"))).collect()
}
