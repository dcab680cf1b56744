//! Asks for a site as a visitor does: through the gateway, by its host name. A route that was accepted and a pod that is ready say
//! nothing of what the gateway's proxies do by now.

use std::time::Duration;

use bytes::Bytes;
use cst_compiler::model::DomainName;
use cst_compiler::settings::web::Gateway;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What shows that visitors of a site get it: a page of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The site's host.
    pub host: DomainName,
    /// The path by which its application says that it can serve.
    pub path: String,
}

/// Why a site does not answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The Gateway cannot be read.
    #[error("cannot read the Gateway {0}; settings.web.gateway names it")]
    Unread(String, #[source] Box<kube::Error>),
    /// It has no address yet, or no listener for HTTP.
    #[error("the Gateway {0} has no address with an HTTP listener yet")]
    NoAddress(String),
    /// Nobody is there.
    #[error("the gateway at {at} does not answer")]
    Silent {
        /// Address and port.
        at: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something else than the site answers.
    #[error("the gateway at {at} answers {status} for {host}")]
    Refused {
        /// Address and port.
        at: String,
        /// What it says.
        status: StatusCode,
        /// Whose page was asked for.
        host: DomainName,
    },
}

/// Asks once. A page, or a way to another one (such as HTTPS), is an answer.
pub async fn ask(client: &Client, gateway: &Gateway, question: &Question) -> Result<(), NoAnswer> {
    let at = address(client, gateway).await?;
    let silent = |source| NoAnswer::Silent { at: at.clone(), source };
    let answer = timeout(PATIENCE, status(&at, question)).await.map_err(|late| silent(late.into()))?;
    let status = answer.map_err(silent)?;
    if status.is_success() || status.is_redirection() {
        return Ok(());
    }
    Err(NoAnswer::Refused { at, status, host: question.host.clone() })
}

async fn address(client: &Client, gateway: &Gateway) -> Result<String, NoAnswer> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "Gateway"));
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &gateway.namespace, &resource);
    let name = || format!("{}/{}", gateway.namespace, gateway.name);
    let object = api.get(&gateway.name).await.map_err(|error| NoAnswer::Unread(name(), Box::new(error)))?;
    listener(&object).ok_or_else(|| NoAnswer::NoAddress(name()))
}

/// The first address (`Gateway.status.addresses`) with the port of the first HTTP listener.
fn listener(gateway: &DynamicObject) -> Option<String> {
    let address = gateway.data["status"]["addresses"].as_array()?.first()?["value"].as_str()?;
    let listeners = gateway.data["spec"]["listeners"].as_array()?;
    let port = listeners.iter().find(|listener| listener["protocol"] == "HTTP")?["port"].as_u64()?;
    Some(if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") })
}

async fn status(at: &str, question: &Question) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(at).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(&question.path)
        .header(header::HOST, question.host.as_str())
        .header(header::USER_AGENT, "cst")
        .body(Empty::<Bytes>::new())?;
    // Ends with the sender, which is dropped when the question is answered or given up.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?.status())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn gateway(status: &serde_json::Value) -> DynamicObject {
        let listeners = json!([{"name": "https", "protocol": "HTTPS", "port": 443}, {"name": "http", "protocol": "HTTP", "port": 8080}]);
        let object = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "cst"},
            "spec": {"listeners": listeners}, "status": status});
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn the_http_listener_of_the_first_address_is_asked() {
        let at =
            |address: &str| listener(&gateway(&json!({"addresses": [{"value": address}, {"value": "192.0.2.9"}]})));
        assert_eq!(at("192.0.2.80").as_deref(), Some("192.0.2.80:8080"));
        assert_eq!(at("2001:db8::80").as_deref(), Some("[2001:db8::80]:8080"));
        assert_eq!(listener(&gateway(&json!({}))), None);
        assert_eq!(listener(&gateway(&json!({"addresses": []}))), None);
    }

    /// A server that answers one request with these bytes; the request it got.
    async fn answering(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (at, server)
    }

    #[tokio::test]
    async fn a_site_is_asked_for_by_its_host() {
        let question = Question { host: DomainName::parse("www.urbino.example").unwrap(), path: "/-/ready".into() };
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Some(StatusCode::OK)),
            ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", Some(StatusCode::SERVICE_UNAVAILABLE)),
            ("", None),
            ("220 mx ESMTP\r\n", None),
        ] {
            let (at, server) = answering(answer).await;
            let status = status(&at, &question).await;
            assert_eq!(status.ok(), expected, "{answer}");
            let request = server.await.unwrap();
            assert!(request.starts_with("GET /-/ready HTTP/1.1\r\n"), "{request}");
            assert!(request.to_lowercase().contains("host: www.urbino.example\r\n"), "{request}");
        }
    }
}
