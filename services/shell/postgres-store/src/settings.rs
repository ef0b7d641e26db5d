//! How to reach Postgres: address, secrets, TLS, pool and time-outs.
//!
//! Promises: unknown keys and contradictions are errors that say what to change; nothing secret is
//! ever printed. Does not read the environment for its own keys: the executable's configuration does.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::projections::{Aged, Monthly};
use crate::{Micros, StoreError};

/// What stands behind an address that nobody set.
pub(crate) const OF_THE_DEFAULT: &str = ", the default address (postgres.url or BALLAST_POSTGRES_URL names another),";

/// Days for which a report of an order waits for its wave, which is read within hours even where all topics are read anew.
const EARLY_REPORT_DAYS: u32 = 30;

/// Text that never shows itself: `Debug` and `Display` print `***`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the one call that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How much TLS the connection must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Plain text.
    Disable,
    /// TLS if the server has it; protects against nobody who can change packets.
    Prefer,
    /// TLS, whoever the server is.
    Require,
    /// TLS, and the server's certificate and host name must hold against `root_cert` (or, without
    /// one, the public roots).
    VerifyFull,
}

impl From<TlsMode> for PgSslMode {
    fn from(mode: TlsMode) -> Self {
        match mode {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Prefer => PgSslMode::Prefer,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        }
    }
}

/// Settings of the store. Either `url`, or the parts `host`, `port`, `user` and `database`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `postgres://user:password@host:port/database?sslmode=…`; secret, as it may hold a password.
    pub url: Option<Secret>,
    /// Host name, address, or directory of a Unix socket. Default `localhost`.
    pub host: Option<String>,
    /// Default 5432.
    pub port: Option<u16>,
    /// Default `ballast`.
    pub user: Option<String>,
    /// Default `ballast`.
    pub database: Option<String>,
    /// File whose first line is the password; used with parts and with a URL that has none.
    pub password_file: Option<PathBuf>,
    /// Default: the URL's `sslmode`, else `prefer`.
    pub tls: Option<TlsMode>,
    /// PEM file with the authority that signed the server's certificate.
    pub root_cert: Option<PathBuf>,
    /// PEM file with our certificate, where the server wants one.
    pub client_cert: Option<PathBuf>,
    /// PEM file with the key of `client_cert`.
    pub client_key: Option<PathBuf>,
    /// Most connections that this process holds.
    pub pool_size: u32,
    /// Milliseconds to wait for a connection, new or from the pool.
    pub acquire_timeout_ms: u64,
    /// Milliseconds after which the server cancels a statement; 0 means never.
    pub statement_timeout_ms: u64,
    /// Milliseconds after which the server gives up waiting for a lock; 0 means never.
    pub lock_timeout_ms: u64,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// Days for which the projector keeps rows of `performance_snapshots`: months that ended before are dropped whole.
    /// 0 means for ever, here and below.
    pub keep_snapshots_days: u32,
    /// Days for which it keeps `values_by_minute`.
    pub keep_minutes_days: u32,
    /// Days for which it keeps `values_by_hour`.
    pub keep_hours_days: u32,
    /// Days for which it keeps `close_versions`; `values_by_day` stays.
    pub keep_closes_days: u32,
    /// Days for which it keeps `portfolio_rebalances`.
    pub keep_rebalances_days: u32,
    /// Days for which it keeps `ledger_entries`.
    pub keep_ledger_days: u32,
    /// Days for which it keeps `performance_records` and `risk_records`.
    pub keep_figures_days: u32,
    /// Days for which it keeps `orders` of rebalances that have ended; their rows are deleted once they were released before,
    /// as are those of the two tables below.
    pub keep_orders_days: u32,
    /// Days for which it keeps `command_answers`.
    pub keep_answers_days: u32,
    /// Days for which it keeps `dead_letters`.
    pub keep_dead_letters_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            url: None,
            host: None,
            port: None,
            user: None,
            database: None,
            password_file: None,
            tls: None,
            root_cert: None,
            client_cert: None,
            client_key: None,
            pool_size: 8,
            acquire_timeout_ms: 5_000,
            statement_timeout_ms: 30_000,
            lock_timeout_ms: 5_000,
            application_name: "ballast".to_owned(),
            keep_snapshots_days: 30,
            keep_minutes_days: 30,
            keep_hours_days: 730,
            keep_closes_days: 0,
            keep_rebalances_days: 0,
            keep_ledger_days: 0,
            keep_figures_days: 0,
            keep_orders_days: 0,
            keep_answers_days: 0,
            keep_dead_letters_days: 0,
        }
    }
}

impl Settings {
    /// Settings with a URL and every default.
    #[must_use]
    pub fn from_url(url: &str) -> Self {
        Settings { url: Some(Secret::new(url)), ..Settings::default() }
    }

    /// The moment from which on a table in months is kept; `None` where it is for ever.
    #[must_use]
    pub fn kept_from(&self, table: Monthly, now: Micros) -> Option<Micros> {
        days_before(now, self.keep_days(table))
    }

    /// The moment from which on rows of a table are kept; `None` where it is for ever.
    #[must_use]
    pub fn rows_kept_from(&self, table: Aged, now: Micros) -> Option<Micros> {
        let days = match table {
            Aged::Orders => self.keep_orders_days,
            Aged::EarlyReports => EARLY_REPORT_DAYS,
            Aged::Answers => self.keep_answers_days,
            Aged::DeadLetters => self.keep_dead_letters_days,
        };
        days_before(now, days)
    }

    /// Days for which a table in months is kept; 0 means for ever.
    fn keep_days(&self, table: Monthly) -> u32 {
        match table {
            Monthly::Snapshots => self.keep_snapshots_days,
            Monthly::Minutes => self.keep_minutes_days,
            Monthly::Hours => self.keep_hours_days,
            Monthly::Closes => self.keep_closes_days,
            Monthly::Rebalances => self.keep_rebalances_days,
            Monthly::Ledger => self.keep_ledger_days,
            Monthly::Performance | Monthly::Risk => self.keep_figures_days,
        }
    }

    /// Refuses what no store can be made of: contradictions, a URL that is none, files that cannot be read. Contacts
    /// nobody.
    ///
    /// # Errors
    /// [`StoreError::Settings`] names what to change.
    pub fn validate(&self) -> Result<(), StoreError> {
        self.connect_options().map(|_| ())
    }

    /// Where the server should be, for people: never with the password.
    pub(crate) fn address(&self, options: &PgConnectOptions) -> String {
        let address = format!("{}:{}", options.get_host(), options.get_port());
        if self.url.is_some() || self.host.is_some() || self.port.is_some() {
            return address;
        }
        format!("{address}{OF_THE_DEFAULT}")
    }

    /// How long a caller waits for one statement before it takes the server for dead: a little
    /// longer than the server's own limit, so that the server speaks first.
    pub(crate) fn client_limit(&self) -> Option<Duration> {
        (self.statement_timeout_ms > 0).then(|| Duration::from_millis(self.statement_timeout_ms.saturating_add(2_000)))
    }

    /// The driver's options; reads the password file and checks that certificates are there.
    pub(crate) fn connect_options(&self) -> Result<PgConnectOptions, StoreError> {
        let mut options = match &self.url {
            Some(url) => self.options_from_url(url)?,
            None => self.options_from_parts(),
        };
        if let Some(file) = &self.password_file {
            options = options.password(&read_password(file)?);
        }
        options = self.with_tls(options)?;
        Ok(options.application_name(&self.application_name))
    }

    /// Time-outs that the server keeps for each session.
    pub(crate) fn session_limits(&self) -> [(&'static str, String); 3] {
        [
            ("statement_timeout", self.statement_timeout_ms.to_string()),
            ("lock_timeout", self.lock_timeout_ms.to_string()),
            // A stopped process must not hold its locks for ever.
            ("idle_in_transaction_session_timeout", "60000".to_owned()),
        ]
    }

    fn options_from_url(&self, url: &Secret) -> Result<PgConnectOptions, StoreError> {
        let has_parts = self.host.is_some() || self.port.is_some() || self.user.is_some() || self.database.is_some();
        if has_parts {
            return Err(StoreError::settings("`url` and one of `host`, `port`, `user`, `database` are both given: keep one form"));
        }
        let fault = || StoreError::settings("`url` is not of the form postgres://user:password@host:port/database");
        let ours = ["postgres://", "postgresql://"];
        if !ours.iter().any(|scheme| url.reveal().starts_with(scheme)) {
            return Err(fault());
        }
        // The parser's message may quote the URL, password included: it is not passed on.
        PgConnectOptions::from_str(url.reveal()).map_err(|_| fault())
    }

    fn options_from_parts(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host(self.host.as_deref().unwrap_or("localhost"))
            .port(self.port.unwrap_or(5432))
            .username(self.user.as_deref().unwrap_or("ballast"))
            .database(self.database.as_deref().unwrap_or("ballast"))
            .ssl_mode(PgSslMode::Prefer)
    }

    fn with_tls(&self, mut options: PgConnectOptions) -> Result<PgConnectOptions, StoreError> {
        if let Some(mode) = self.tls {
            options = options.ssl_mode(mode.into());
        }
        let readable = |key: &str, file: &PathBuf| {
            std::fs::metadata(file)
                .map(|_| file.clone())
                .map_err(|e| StoreError::settings(format!("`{key}` {} cannot be read: {e}", file.display())))
        };
        if let Some(file) = &self.root_cert {
            options = options.ssl_root_cert(readable("root_cert", file)?);
        }
        match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => {
                Ok(options.ssl_client_cert(readable("client_cert", cert)?).ssl_client_key(readable("client_key", key)?))
            }
            (None, None) => Ok(options),
            _ => Err(StoreError::settings("`client_cert` and `client_key` belong together: give both or none")),
        }
    }
}

/// The moment some days ago; `None` of 0 days, which mean for ever.
fn days_before(now: Micros, days: u32) -> Option<Micros> {
    (days > 0).then(|| Micros(now.0.saturating_sub(i64::from(days) * 86_400_000_000)))
}

fn read_password(file: &PathBuf) -> Result<String, StoreError> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| StoreError::settings(format!("`password_file` {} cannot be read: {e}", file.display())))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(StoreError::settings(format!("`password_file` {} is empty", file.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> String {
        let settings: Settings = toml::from_str(text).unwrap();
        format!("{:?}", settings.connect_options().unwrap().get_ssl_mode())
    }

    #[test]
    fn what_is_kept_for_ever_has_no_first_moment() {
        let settings = Settings { keep_snapshots_days: 2, keep_closes_days: 0, ..Settings::default() };
        let now = Micros(10 * 86_400_000_000);
        assert_eq!(settings.kept_from(Monthly::Snapshots, now), Some(Micros(8 * 86_400_000_000)));
        assert_eq!(settings.kept_from(Monthly::Closes, now), None);
    }

    #[test]
    fn the_tls_mode_is_the_settings_else_the_urls_else_prefer() {
        for (word, mapped) in [("disable", "Disable"), ("prefer", "Prefer"), ("require", "Require"), ("verify-full", "VerifyFull")] {
            assert_eq!(mode(&format!("tls = '{word}'")), mapped);
            assert_eq!(mode(&format!("url = 'postgres://u@h/d?sslmode={word}'")), mapped);
        }
        assert_eq!(mode(""), "Prefer");
        assert_eq!(mode("url = 'postgres://u@h/d?sslmode=require'\ntls = 'verify-full'"), "VerifyFull");
    }

    #[test]
    fn parts_have_defaults_and_limits_reach_the_session() {
        let settings: Settings = toml::from_str("host = 'db'\nport = 6000\nstatement_timeout_ms = 7").unwrap();
        let options = settings.connect_options().unwrap();
        assert_eq!((options.get_host(), options.get_port()), ("db", 6000));
        assert_eq!((options.get_username(), options.get_database()), ("ballast", Some("ballast")));
        assert_eq!(options.get_application_name(), Some("ballast"));
        assert!(settings.session_limits().contains(&("statement_timeout", "7".to_owned())));
    }
}
