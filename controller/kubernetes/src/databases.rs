//! The sites' databases as this crate sees them.

use cst_compiler::desired::web::Credentials;
use futures_util::future::BoxFuture;

/// Makes and removes databases, each with a user of its own.
pub trait Databases: Send + Sync + 'static {
    /// Makes the database and its user with this password; doing it again changes nothing.
    fn ensure<'a>(&'a self, credentials: &'a Credentials) -> BoxFuture<'a, Result<(), DatabasesError>>;
    /// Drops the database with all that is in it, and its user of the same name.
    fn remove<'a>(&'a self, database: &'a str) -> BoxFuture<'a, Result<(), DatabasesError>>;
}

/// Why a database is not as it should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DatabasesError(Box<dyn std::error::Error + Send + Sync>);

impl DatabasesError {
    /// Wraps the server's own error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}
