//! Against a real `MariaDB` (`mariadbd` in the PATH), which runs in a folder of its own as long as a test does.

mod support;

use cst_compiler::desired::web::{Credentials, Password, database_name};
use cst_compiler::model::ObjectKey;
use cst_kubernetes::database::{DatabaseError, Server};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use support::mariadb::MariaDb;

fn credentials(tenant: &str, password: &str) -> Credentials {
    let key = ObjectKey::new(format!("t-{tenant}"), "portale");
    Credentials::new(&key, "127.0.0.1".into(), Password::new(password.into()))
}

async fn login(server: &Server, credentials: &Credentials) -> mysql_async::Result<Conn> {
    let options = OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(server.port)
        .user(Some(&credentials.username))
        .pass(Some(credentials.password.expose()))
        .db_name(Some(&credentials.database))
        .prefer_socket(false);
    Conn::new(options).await
}

#[tokio::test]
async fn a_site_reaches_its_database_and_no_other() {
    let mariadb = MariaDb::start();
    let server = mariadb.server();
    // Were `_` not escaped in the grant, `a_portale` would open `axportale`.
    let (a, b) = (credentials("a", "one"), credentials("b", "two"));
    server.ensure(&a).await.unwrap();
    server.ensure(&b).await.unwrap();
    mariadb.query("CREATE DATABASE axportale").await;

    let mut connection = login(&server, &a).await.unwrap();
    connection.query_drop("CREATE TABLE visits (n INT)").await.unwrap();
    connection.query_drop("INSERT INTO visits VALUES (7)").await.unwrap();
    for foreign in ["b_portale", "axportale", "mysql"] {
        let error = connection.query_drop(format!("CREATE TABLE `{foreign}`.x (n INT)")).await.unwrap_err();
        assert!(error.to_string().contains("denied"), "{foreign}: {error}");
    }
    let seen: Vec<String> = connection.query("SHOW DATABASES").await.unwrap();
    assert_eq!(seen, ["a_portale", "information_schema"]);
}

#[tokio::test]
async fn doing_it_again_keeps_the_data_and_takes_the_new_password() {
    let mariadb = MariaDb::start();
    let server = mariadb.server();
    let (old, new) = (credentials("urbino", "old"), credentials("urbino", "new"));
    server.ensure(&old).await.unwrap();
    login(&server, &old).await.unwrap().query_drop("CREATE TABLE kept (n INT)").await.unwrap();
    server.ensure(&old).await.unwrap();
    login(&server, &old).await.unwrap();

    server.ensure(&new).await.unwrap();
    assert!(login(&server, &old).await.is_err());
    let tables: Vec<String> = login(&server, &new).await.unwrap().query("SHOW TABLES").await.unwrap();
    assert_eq!(tables, ["kept"]);
}

#[tokio::test]
async fn removed_is_gone_and_can_be_removed_again() {
    let mariadb = MariaDb::start();
    let server = mariadb.server();
    let (gone, stays) = (credentials("gone", "x"), credentials("stays", "y"));
    server.ensure(&gone).await.unwrap();
    server.ensure(&stays).await.unwrap();
    server.remove(&gone.database).await.unwrap();
    server.remove(&gone.database).await.unwrap();
    assert!(login(&server, &gone).await.is_err());
    login(&server, &stays).await.unwrap();
    assert!(!mariadb.query("SHOW DATABASES").await.contains(&gone.database));
    assert!(!mariadb.query("SELECT User FROM mysql.global_priv").await.contains(&gone.username));
}

#[tokio::test]
async fn the_longest_and_the_reserved_names_work() {
    let mariadb = MariaDb::start();
    let server = mariadb.server();
    for (tenant, site) in [
        ("x".repeat(61), "y".repeat(40)),
        ("x".repeat(40), "y".repeat(19)),
        ("x".repeat(31), "y".repeat(40)),
        ("performance".into(), "schema".into()),
    ] {
        let key = ObjectKey::new(format!("t-{tenant}"), site);
        let made = Credentials::new(&key, "127.0.0.1".into(), Password::new("z".into()));
        server.ensure(&made).await.unwrap();
        login(&server, &made).await.unwrap().query_drop("CREATE TABLE t (n INT)").await.unwrap();
        assert_eq!(made.database, database_name(&key));
    }
}

#[tokio::test]
async fn errors_name_the_server_and_the_remedy_and_no_secret() {
    let mariadb = MariaDb::start();
    let server = mariadb.server();
    let wrong = Server { password: Password::new("wrong-secret".into()), ..server.clone() };
    let absent = Server { port: 1, ..server.clone() };
    let powerless = credentials("powerless", "own-secret");
    server.ensure(&powerless).await.unwrap();
    let powerless = Server { username: powerless.username, password: powerless.password, ..server.clone() };
    for (server, hint) in [(wrong, "Secret"), (absent, "network policy"), (powerless, "may create databases")] {
        let error = server.ensure(&credentials("urbino", "site-secret")).await.unwrap_err();
        let text = format!("{error} {error:?} {server:?}");
        assert!(text.contains(hint) && text.contains(&format!("127.0.0.1:{}", server.port)), "{text}");
        assert!(!text.contains("-secret"), "{text}");
    }
    let mut outside = credentials("urbino", "x");
    outside.database = "mysql".into();
    assert!(matches!(server.ensure(&outside).await, Err(DatabaseError::Name(_))));
    assert!(matches!(server.remove("mysql").await, Err(DatabaseError::Name(_))));
}

#[tokio::test]
async fn what_was_made_survives_the_server_being_killed() {
    let mut mariadb = MariaDb::start();
    let made = credentials("urbino", "x");
    mariadb.server().ensure(&made).await.unwrap();
    mariadb.kill();
    assert!(matches!(mariadb.server().ensure(&made).await, Err(DatabaseError::Unreachable { .. })));
    mariadb.restart();
    login(&mariadb.server(), &made).await.unwrap();
    mariadb.server().ensure(&made).await.unwrap();
}
