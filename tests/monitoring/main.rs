//! What operators look at: alert rules, dashboards and their metrics belong together. The rules' own cases run in
//! promtool, which the development stack builds. No server runs here; the SQL of dashboards is tried where SQL is at
//! home (`postgres-store`).

mod alerts;
mod dashboards;
mod promql;
