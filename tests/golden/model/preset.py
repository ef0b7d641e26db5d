"""Portfolio types as presets: what a policy of a type means, from the table of the schemas' README."""

from .exact import num

FIELDS = {
    "band_absolute": ("band", "absolute"),
    "band_relative": ("band", "relative"),
    "minimum_deviation": ("trigger", "minimum_deviation"),
    "cash_reserve": ("orders", "cash_reserve"),
    "turnover_cap": ("orders", "turnover_cap"),
    "max_position_weight": ("limits", "max_position_weight"),
    "max_sector_weight": ("limits", "max_sector_weight"),
}
# What stands in a group that says nothing; a cap or a limit is null then.
UNSAID = {"band_absolute": "0.05", "band_relative": "0.25", "minimum_deviation": "1", "cash_reserve": "0"}
TYPES = {
    "AGGRESSIVE": ("0.08", "0.35", "2", "0.01", "0.5", "0.4", "0.6"),
    "BALANCED": ("0.05", "0.25", "1", "0.02", "0.3", "0.3", "0.45"),
    "CONSERVATIVE": ("0.03", "0.15", "0.5", "0.05", "0.2", "0.2", "0.35"),
}


def stated(policy, name):
    """What the group of a field states; a figure that is the contract's own says nothing."""
    group, field = FIELDS[name]
    value = (policy.get(group) or {}).get(field)
    return None if value is None or name in UNSAID and num(value) == num(UNSAID[name]) else value


def resolved(policy):
    """The policy with the preset's own figures, else those of its groups, else its type's."""
    if not policy or policy.get("preset") is None:
        return policy
    laid = dict(policy)
    for name, of_type in zip(FIELDS, TYPES[policy["type"]]):
        group, field = FIELDS[name]
        value = next(v for v in (policy["preset"].get(name), stated(policy, name), of_type) if v is not None)
        laid[group] = {**(laid.get(group) or {}), field: value}
    return laid


def figures(policy):
    """The governed figures of a policy, as numbers."""
    found = {name: (policy.get(group) or {}).get(field) for name, (group, field) in FIELDS.items()}
    return {name: num(UNSAID.get(name) if value is None else value) for name, value in found.items()}
