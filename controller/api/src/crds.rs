use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{CustomResourceDefinition, JSONSchemaProps};
use kube::CustomResourceExt;

use crate::{Domain, Mailbox, Tenant, WebSite};

/// The CRDs in the order to install them.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![crd_of::<Tenant>(), crd_of::<Domain>(), crd_of::<Mailbox>(), crd_of::<WebSite>()]
}

/// One kind's CRD, completed by what the derive cannot say: until the controller has seen an object its status reads
/// `observedGeneration: -1`, so kstatus never takes it for current, and conditions are a map by type.
pub fn crd_of<K: CustomResourceExt>() -> CustomResourceDefinition {
    let mut crd = K::crd();
    for version in &mut crd.spec.versions {
        let schema = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut());
        if let Some(status) = schema.and_then(|s| s.properties.as_mut()).and_then(|p| p.get_mut("status")) {
            complete_status(status);
        }
    }
    crd
}

/// Takes the type's documentation out of an enum's schema: users read that of the field, which says what each value means there.
pub(crate) fn undescribed(schema: &mut schemars::Schema) {
    schema.remove("description");
}

fn complete_status(status: &mut JSONSchemaProps) {
    status.default = Some(k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSON(
        serde_json::json!({"observedGeneration": -1}),
    ));
    status.nullable = None;
    if let Some(conditions) = status.properties.as_mut().and_then(|p| p.get_mut("conditions")) {
        conditions.x_kubernetes_list_type = Some("map".into());
        conditions.x_kubernetes_list_map_keys = Some(vec!["type".into()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field is documented, with every word it takes: `kubectl explain` shows no blank.
    #[test]
    fn every_field_has_a_description() {
        fn walk(path: &str, schema: &JSONSchemaProps, blank: &mut Vec<String>) {
            for (name, field) in schema.properties.iter().flatten() {
                let path = format!("{path}.{name}");
                if field.description.as_deref().unwrap_or_default().trim().is_empty() && !path.contains("metadata") {
                    blank.push(path.clone());
                }
                blank.extend(unexplained(&path, field));
                walk(&path, field, blank);
            }
            if let Some(
                k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrArray::Schema(
                    item,
                ),
            ) = &schema.items
            {
                walk(&format!("{path}[]"), item, blank);
            }
        }
        /// A field that takes one of some words says what each of them means.
        fn unexplained(path: &str, field: &JSONSchemaProps) -> Vec<String> {
            let words = field.enum_.iter().flatten().filter_map(|word| word.0.as_str());
            let told = field.description.as_deref().unwrap_or_default();
            words.filter(|word| !told.contains(&format!("`{word}`"))).map(|word| format!("{path}: {word}")).collect()
        }
        let mut blank = Vec::new();
        for crd in crds() {
            let schema = crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
            for part in ["spec", "status"] {
                walk(
                    &format!("{}.{part}", crd.spec.names.kind),
                    &schema.properties.as_ref().unwrap()[part],
                    &mut blank,
                );
            }
        }
        assert!(blank.is_empty(), "undocumented fields: {blank:#?}");
    }
}
