//! Databases and users of sites in the `MariaDB` server that all of them share.
//!
//! Each call opens one connection and closes it: databases are made when a site is, not in a steady state. Passwords cross the
//! network only as the server stores them (`mysql_native_password`), so no statement in a server's log or process list holds one.

mod statement;

use std::time::Duration;

use cst_compiler::desired::web::{Credentials, Password};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};

pub use statement::InvalidName;
use statement::{Name, create_database, create_user, drop_database, drop_user, grant, set_password};

/// How long a whole call may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server, as the account that may make databases and users.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its host name or address.
    pub host: String,
    /// Its port, usually 3306.
    pub port: u16,
    /// The account, usually `root`.
    pub username: String,
    /// The account's password.
    pub password: Password,
}

/// Why a database is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A name that is none of ours.
    #[error("no database was touched")]
    Name(#[from] InvalidName),
    /// No connection.
    #[error("cannot reach MariaDB at {server}: see that it runs and that its network policy lets the controller in")]
    Unreachable {
        /// Host and port.
        server: String,
        /// Why.
        source: mysql_async::Error,
    },
    /// The server refused the login.
    #[error(
        "MariaDB at {server} refuses the login `{username}`: its Secret and the server's password differ; restart the server to take the Secret's"
    )]
    Login {
        /// Host and port.
        server: String,
        /// The account.
        username: String,
        /// Why.
        source: mysql_async::Error,
    },
    /// A statement failed.
    #[error("MariaDB at {server} did not {step}: see that the login may create databases and users, then its log")]
    Statement {
        /// Host and port.
        server: String,
        /// What was being done.
        step: String,
        /// Why.
        source: mysql_async::Error,
    },
    /// No answer in time.
    #[error("MariaDB at {server} did not answer within {} s: see whether it is overloaded or starting", PATIENCE.as_secs())]
    Timeout {
        /// Host and port.
        server: String,
    },
}

impl Server {
    /// Makes the database and its user, and gives the user this password and all rights on this database, and on no other. What is
    /// there already stays; doing it again changes nothing.
    pub async fn ensure(&self, credentials: &Credentials) -> Result<(), DatabaseError> {
        let (database, user) = (Name::parse(&credentials.database)?, Name::parse(&credentials.username)?);
        self.run([
            (format!("create the database `{database}`"), create_database(&database)),
            (format!("create the user `{user}`"), create_user(&user, &credentials.password)),
            (format!("set the password of `{user}`"), set_password(&user, &credentials.password)),
            (format!("grant `{database}` to `{user}`"), grant(&database, &user)),
        ])
        .await
    }

    /// Drops the database with all that is in it, and its user, who has its name. What is gone already is no error.
    pub async fn remove(&self, database: &str) -> Result<(), DatabaseError> {
        let database = Name::parse(database)?;
        self.run([
            (format!("drop the user `{database}`"), drop_user(&database)),
            (format!("drop the database `{database}`"), drop_database(&database)),
        ])
        .await
    }

    async fn run<const N: usize>(&self, steps: [(String, String); N]) -> Result<(), DatabaseError> {
        let work = async {
            let mut connection = self.connect().await?;
            for (step, statement) in steps {
                let failed = |source| DatabaseError::Statement { server: self.address(), step, source };
                connection.query_drop(statement).await.map_err(failed)?;
            }
            // All is done by now: a failed farewell changes nothing.
            connection.disconnect().await.ok();
            Ok(())
        };
        let timeout = |_| DatabaseError::Timeout { server: self.address() };
        tokio::time::timeout(PATIENCE, work).await.map_err(timeout)?
    }

    async fn connect(&self) -> Result<Conn, DatabaseError> {
        let options = OptsBuilder::default()
            .ip_or_hostname(&self.host)
            .tcp_port(self.port)
            .user(Some(&self.username))
            .pass(Some(self.password.expose()))
            .prefer_socket(false);
        Conn::new(options).await.map_err(|source| match source {
            source @ mysql_async::Error::Server(_) => {
                DatabaseError::Login { server: self.address(), username: self.username.clone(), source }
            }
            source => DatabaseError::Unreachable { server: self.address(), source },
        })
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
