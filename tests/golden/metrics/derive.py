"""Figures of kept Python libraries over seeded series, for the catalogue to be held to.

    python3 -m venv /tmp/libraries && /tmp/libraries/bin/pip install -r requirements.txt
    /tmp/libraries/bin/python derive.py            writes series/*.csv and expected/*.json
    /tmp/libraries/bin/python derive.py --check    derives again and compares

Every expected figure carries the id of our catalogue, the settings it was computed with, and the function that gave it.
"""

import json
import math
import sys
import warnings
from datetime import date, timedelta
from pathlib import Path

import empyrical as em
import numpy as np
import pandas as pd
import pyxirr
import quantstats.stats as qs
from scipy import optimize
from scipy import stats as sp

warnings.filterwarnings("ignore")
HERE = Path(__file__).parent
EXECUTIONS = HERE.parents[1] / "data" / "pyfolio"


def generated():
    """Series by name: dates, returns, benchmark, risk-free, periods per year."""
    rng = np.random.default_rng(20260105)
    made = {}
    days = pd.bdate_range("2023-01-02", periods=520)
    market = rng.normal(0.0004, 0.011, len(days))
    own = 0.8 * market + rng.normal(0.0002, 0.006, len(days))
    rates = np.abs(rng.normal(0.00012, 0.00002, len(days)))
    made["daily"] = (days, own, market, rates, 252)
    months = pd.date_range("2018-01-31", periods=84, freq="ME")
    market = rng.normal(0.006, 0.04, len(months))
    made["monthly"] = (months, 1.2 * market + rng.normal(0.001, 0.02, len(months)), market, np.full(len(months), 0.0015), 12)
    days = pd.date_range("2024-01-01", periods=400)
    market = rng.standard_t(3, len(days)) * 0.02
    made["fat_tails"] = (days, 0.5 * market + rng.standard_t(3, len(days)) * 0.015, market, np.full(len(days), 0.0001), 365)
    days = pd.bdate_range("2026-01-05", periods=15)
    made["short"] = (days, rng.normal(0, 0.01, 15), rng.normal(0, 0.01, 15), np.zeros(15), 252)
    rounded = lambda values: np.array([float(f"{value:.9f}") for value in values])
    return {name: (d, rounded(r), rounded(b), rounded(f), p) for name, (d, r, b, f, p) in made.items()}


def pyfolio():
    """Daily returns of the traded book in tests/data/pyfolio; it has no flows."""
    held = pd.read_csv(EXECUTIONS / "positions.csv")
    held["value"] = held["quantity"] * held["price"]
    cash = pd.read_csv(EXECUTIONS / "cash.csv").set_index("date")["cash_replayed"]
    equity = held.groupby("date")["value"].sum().add(cash)
    returns = equity.pct_change().dropna()
    index = pd.to_datetime(returns.index)
    return index, np.array([float(f"{one:.12f}") for one in returns]), None, None, 252


def figures(dates, own, market, rates, periods):
    """(id, settings, function, value) of one series."""
    r = pd.Series(own, index=dates)
    found = []

    def say(id, function, value, **settings):
        found.append({"id": id, "settings": settings, "function": function, "value": float(value)})

    say("cumulative_return", "empyrical.cum_returns_final", em.cum_returns_final(r))
    say("annualised_return", "empyrical.annual_return", em.annual_return(r, annualization=periods))
    say("volatility", "empyrical.annual_volatility", em.annual_volatility(r, annualization=periods))
    say("sharpe", "empyrical.sharpe_ratio", em.sharpe_ratio(r, 0, annualization=periods))
    say("sharpe", "empyrical.sharpe_ratio", em.sharpe_ratio(r, 0.0001, annualization=periods), risk_free_period=0.0001)
    say("sharpe", "quantstats.sharpe", qs.sharpe(r, 0.03, periods), risk_free_annual=0.03)
    say("sharpe_period", "quantstats.sharpe", qs.sharpe(r, 0.0, periods, annualize=False))
    say("sortino", "quantstats.sortino", qs.sortino(r, 0.0, periods))
    for mar in (0.0, 0.0003, -0.001):
        say("sortino_target", "empyrical.sortino_ratio", em.sortino_ratio(r, mar, annualization=periods), mar=mar)
        say("downside_deviation", "empyrical.downside_risk", em.downside_risk(r, mar, annualization=periods), mar=mar)
        say("omega", "empyrical.omega_ratio", em.omega_ratio(r, 0.0, mar, annualization=1), mar=mar)
    say("calmar", "empyrical.calmar_ratio", em.calmar_ratio(r, annualization=periods))
    say("max_drawdown", "empyrical.max_drawdown", em.max_drawdown(r))
    say("max_drawdown", "quantstats.max_drawdown", qs.max_drawdown(r))
    say("tail_ratio", "empyrical.tail_ratio", em.tail_ratio(r))
    say("stability", "empyrical.stability_of_timeseries", em.stability_of_timeseries(r))
    say("skewness", "scipy.stats.skew", sp.skew(own))
    say("kurtosis", "scipy.stats.kurtosis", sp.kurtosis(own))
    say("skewness_sample", "quantstats.skew", qs.skew(r))
    say("kurtosis_sample", "quantstats.kurtosis", qs.kurtosis(r))
    for confidence in (0.9, 0.95, 0.99):
        settings = {"confidence": confidence}
        cutoff = 1 - confidence
        say("var_historical", "numpy.percentile", -np.percentile(own, 100 * cutoff), **settings)
        say("var_historical", "empyrical.value_at_risk", -em.value_at_risk(r, cutoff), **settings)
        say("es_historical", "empyrical.conditional_value_at_risk", -em.conditional_value_at_risk(r, cutoff), **settings)
        say("var_parametric", "quantstats.value_at_risk", -qs.value_at_risk(r, 1, confidence), **settings)
        say("es_parametric", "quantstats.conditional_value_at_risk", -qs.conditional_value_at_risk(r, 1, confidence, method="parametric"), **settings)
        z, s, k = sp.norm.ppf(cutoff), sp.skew(own), sp.kurtosis(own)
        z = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
        say("var_cornish_fisher", "scipy.stats", -(own.mean() + z * own.std(ddof=1)), **settings)
    say("win_rate_periods", "quantstats.win_rate", qs.win_rate(r))
    say("profit_factor_periods", "quantstats.profit_factor", qs.profit_factor(r))
    say("average_win_periods", "quantstats.avg_win", qs.avg_win(r))
    say("average_loss_periods", "quantstats.avg_loss", qs.avg_loss(r))
    say("payoff_ratio_periods", "quantstats.payoff_ratio", qs.payoff_ratio(r))
    say("kelly_fraction", "quantstats.kelly_criterion", qs.kelly_criterion(r))
    say("recovery_factor", "quantstats.recovery_factor", qs.recovery_factor(r))
    say("geometric_mean_return", "quantstats.geometric_mean", qs.geometric_mean(r))
    say("best_day", "quantstats.best", qs.best(r))
    say("worst_day", "quantstats.worst", qs.worst(r))
    say("ulcer_index", "quantstats.ulcer_index, n in place of n - 1", qs.ulcer_index(r) * math.sqrt((len(r) - 1) / len(r)))
    say("average_drawdown", "quantstats.drawdown_details", average_drawdown(r))
    if market is not None:
        beside(say, r, pd.Series(market, index=dates), pd.Series(rates, index=dates), periods)
    return found


def average_drawdown(r):
    """Mean depth of the drawdowns, by the library's own list of them."""
    details = qs.drawdown_details(qs.to_drawdown_series(r))
    return details["max drawdown"].mean() / 100


def beside(say, r, b, f, periods):
    """Figures beside a benchmark."""
    say("beta", "empyrical.beta", em.beta(r, b))
    say("beta", "quantstats.greeks", qs.greeks(r, b, periods)["beta"])
    say("beta", "empyrical.beta of excess returns", em.beta(r - f, b - f), risk_free="series")
    say("alpha", "empyrical.alpha", em.alpha(r, b, annualization=periods))
    say("alpha", "empyrical.alpha", em.alpha(r, b, 0.0001, annualization=periods), risk_free_period=0.0001)
    say("alpha_arithmetic", "quantstats.greeks", qs.greeks(r, b, periods)["alpha"])
    say("sharpe", "empyrical.sharpe_ratio of excess returns", em.sharpe_ratio(r - f, 0, annualization=periods), risk_free="series")
    say("information_ratio_period", "empyrical.excess_sharpe", em.excess_sharpe(r, b))
    say("information_ratio_period", "quantstats.information_ratio", qs.information_ratio(r, b))
    say("information_ratio", "empyrical.sharpe_ratio of active returns", em.sharpe_ratio(r - b, annualization=periods))
    say("tracking_error", "empyrical.annual_volatility of active returns", em.annual_volatility(r - b, annualization=periods))
    say("up_capture", "empyrical.up_capture", em.up_capture(r, b, period=named(periods)) if named(periods) else up_down(r, b, periods, 1))
    say("down_capture", "empyrical.down_capture", em.down_capture(r, b, period=named(periods)) if named(periods) else up_down(r, b, periods, -1))
    say("capture", "empyrical.capture", em.annual_return(r, annualization=periods) / em.annual_return(b, annualization=periods))
    say("correlation", "scipy.stats.pearsonr", sp.pearsonr(r, b)[0])
    say("r_squared", "quantstats.r_squared", qs.r_squared(r, b))


def named(periods):
    return {252: "daily", 12: "monthly"}.get(periods)


def up_down(r, b, periods, sign):
    """The library's capture with periods that it has no name for."""
    taken = b * sign > 0
    return em.annual_return(r[taken], annualization=periods) / em.annual_return(b[taken], annualization=periods)


def rolling(dates, own, market, periods):
    """Windows of 20 periods."""
    r, b = pd.Series(own, index=dates), pd.Series(market, index=dates)
    return {
        "window": 20,
        "volatility": [float(x) for x in em.roll_annual_volatility(r, window=20, annualization=periods)],
        "max_drawdown": [float(x) for x in em.roll_max_drawdown(r, window=20)],
        "sharpe": [float(x) for x in em.roll_sharpe_ratio(r, window=20, annualization=periods)],
        "beta": [float(x) for x in em.roll_beta(r, b, window=20)],
    }


def matrices(own, market, rates):
    """Covariances, correlations, exponential weights, components."""
    columns = np.array([own, market, rates])
    weights = np.array([0.5, 0.7, -0.2])
    covariance = np.cov(columns)
    decay = 0.94 ** np.arange(len(own) - 1, -1, -1)
    weighted = (columns * decay) @ columns.T / decay.sum()
    total = math.sqrt(weights @ covariance @ weights)
    z = sp.norm.ppf(0.05)
    return {
        "weights": weights.tolist(),
        "covariance": covariance.tolist(),
        "correlation": np.corrcoef(columns).tolist(),
        "exponential_0.94": weighted.tolist(),
        "component_var_0.95": (-(weights * columns.mean(axis=1) + z * weights * (covariance @ weights) / total)).tolist(),
        "book_var_0.95": float(-sp.norm.ppf(0.05, *book(columns, weights))),
    }


def book(columns, weights):
    held = weights @ columns
    return held.mean(), held.std(ddof=1)


def cash_flows():
    """Dated flows with the library's rate: investments that came back with some gain or loss."""
    rng = np.random.default_rng(365)
    cases = []
    for n in range(24):
        start = date(2010, 1, 1) + timedelta(days=int(rng.integers(0, 4000)))
        days = np.sort(rng.choice(np.arange(1, 3650), size=int(rng.integers(1, 12)), replace=False))
        amounts = np.round(-rng.uniform(10, 1000, len(days)) * np.where(rng.random(len(days)) < 0.7, 1, -1), 2)
        last = max(1.0, round(-float(amounts[:-1].sum() - 1000) * float(rng.uniform(0.4, 2.0)), 2))
        flows = [(start, -1000.0)] + [(start + timedelta(days=int(d)), float(a)) for d, a in zip(days[:-1], amounts[:-1])]
        flows.append((start + timedelta(days=int(days[-1])), last))
        days, amounts = [d for d, _ in flows], [a for _, a in flows]
        rate = pyxirr.xirr(days, amounts)
        if rate is None or not math.isfinite(rate) or not -0.99 < rate < 1000:
            continue
        # The library ends its search early; its own present value leads on to the last digit.
        worth = lambda rate: pyxirr.xnpv(rate, days, amounts)
        if worth(rate - 1e-4) * worth(rate + 1e-4) < 0:
            rate = optimize.brentq(worth, rate - 1e-4, rate + 1e-4, xtol=1e-16, rtol=1e-15)
            cases.append({"flows": [[d.isoformat(), a] for d, a in flows], "xirr": rate, "xnpv_10": worth(0.1)})
    amounts = [[-100.0, 39, 59, 55, 20], [-250000.0, 100000, 150000, 200000, 250000, 300000], [-70000.0, 12000, 15000, 18000, 21000, 26000]]
    return {"dated": cases, "periodic": [{"flows": one, "irr": pyxirr.irr(one)} for one in amounts]}


def normal():
    """Quantiles of the normal distribution and of samples."""
    probabilities = [1e-12, 1e-6, 0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 0.6, 0.75, 0.9, 0.95, 0.975, 0.99, 0.999, 1 - 1e-6]
    sample = np.random.default_rng(7).normal(size=37).round(6)
    steps = [0, 0.01, 0.05, 0.1, 0.33, 0.5, 0.66, 0.9, 0.95, 0.99, 1]
    return {
        "probabilities": probabilities,
        "quantiles": [float(x) for x in sp.norm.ppf(probabilities)],
        "sample": sample.tolist(),
        "steps": steps,
        "type_7": [float(np.quantile(sample, step)) for step in steps],
    }


def files():
    made = {}
    for name, (dates, own, market, rates, periods) in {**generated(), "pyfolio": pyfolio()}.items():
        columns = {"date": dates.strftime("%Y-%m-%d"), "return": own}
        if market is not None:
            columns |= {"benchmark": market, "risk_free": rates}
        made[f"series/{name}.csv"] = pd.DataFrame(columns).to_csv(index=False, lineterminator="\n")
        expected = {"periods_per_year": periods, "figures": figures(dates, own, market, rates, periods)}
        if name == "daily":
            expected |= {"rolling": rolling(dates[:60], own[:60], market[:60], periods), "matrices": matrices(own, market, rates)}
        made[f"expected/{name}.json"] = json.dumps(expected, indent=1) + "\n"
    made["expected/cash_flows.json"] = json.dumps(cash_flows(), indent=1) + "\n"
    made["expected/quantiles.json"] = json.dumps(normal(), indent=1) + "\n"
    return made


def main():
    wrong = []
    for name, text in files().items():
        path = HERE / name
        if "--check" in sys.argv:
            if path.read_text() != text:
                wrong.append(name)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    print(f"differing: {', '.join(wrong)}" if wrong else "as derived")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
