//! What stands for the gateway's proxies where no pods run: it answers for every host, as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::centre::{Centre, settings};

/// What answers for every host: 503 at first.
pub struct Gateway {
    leads: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Gateway {
    fn serve(listener: TcpListener) -> Self {
        let (leads, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (leading, asking) = (leads.clone(), asked.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                asking.fetch_add(1, Ordering::SeqCst);
                let status = if leading.load(Ordering::SeqCst) { "200 OK" } else { "503 Service Unavailable" };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.ok();
            }
        });
        Self { leads, asked, task }
    }

    /// From now on it leads to the sites.
    pub fn leads(&self) {
        self.leads.store(true, Ordering::SeqCst);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Centre {
    /// A gateway that leads to every site, from now on.
    pub async fn gateway(&self) -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let web = settings().web.unwrap();
        self.apply(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}\n---\n\
             {{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: {name}, namespace: {namespace}}}, \
             spec: {{gatewayClassName: tests, listeners: [{{name: http, port: {port}, protocol: HTTP}}]}}}}",
            name = web.gateway.name,
            namespace = web.gateway.namespace,
        ))
        .await;
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "Gateway"));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &web.gateway.namespace, &resource);
        let status = serde_json::json!({"status": {"addresses": [{"type": "IPAddress", "value": "127.0.0.1"}]}});
        api.patch_status(&web.gateway.name, &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
        Gateway::serve(listener)
    }
}
