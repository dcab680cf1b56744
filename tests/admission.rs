//! What the API server takes and refuses: each rule and pattern of the CRDs.
#[tokio::test]
async fn crds_install() {
    cst_tests::api_server::client().await;
}
