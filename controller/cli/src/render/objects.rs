use std::path::{Path, PathBuf};

use cst_compiler::compile;
use cst_compiler::desired::{tenancy, web};
use cst_compiler::index::{Index, Unit};

/// The cluster's objects: a file for each tenant and each web site.
pub(super) fn files(index: &Index) -> Vec<(PathBuf, String)> {
    let folder = Path::new("objects");
    let units = index.units().into_iter();
    units
        .filter_map(|unit| match unit {
            Unit::Tenant(name) => {
                let tenant = compile::tenant(index, &name).model?.tenant();
                let objects = tenancy::objects(&tenant, &tenancy::Installation::default());
                Some((folder.join(&name).join("tenant.yaml"), documents(&objects)))
            }
            Unit::Site(key) => {
                let site = compile::site(index, &key).site(index)?;
                let objects = web::objects(&site, index.settings().web.as_ref()?, None);
                Some((folder.join(&site.tenant).join(format!("site-{}.yaml", key.name)), documents(&objects)))
            }
            Unit::Zone(_) | Unit::Mail(_) => None,
        })
        .collect()
}

fn documents<T: serde::Serialize>(objects: &[T]) -> String {
    objects.iter().filter_map(|object| serde_yaml::to_string(object).ok()).map(|text| format!("---\n{text}")).collect()
}
