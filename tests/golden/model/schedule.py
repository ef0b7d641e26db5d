"""Scheduled rebalances: the turns of a policy's schedule in its own time zone, on the days of its calendar."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from . import calendars

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(at):
    return EPOCH + timedelta(microseconds=at)


class Schedule:
    def __init__(self, policy, trigger):
        self.frequency = trigger.get("rebalance_frequency") or "NONE"
        self.hour, self.minute = map(int, (trigger.get("schedule_time") or "00:00").split(":"))
        self.zone = ZoneInfo(policy.get("time_zone") or "UTC")
        self.calendar = policy.get("calendar")

    def same(self, other):
        return other is not None and vars(self) == vars(other)

    def counts(self, day):
        return calendars.counts({"calendar": self.calendar}, day)

    def takes(self, day):
        month = [day.replace(day=n) for n in range(1, day.day + 1)]
        week = [day - timedelta(days=n) for n in reversed(range(day.isoweekday()))]
        first = lambda days: next((d for d in days if self.counts(d)), None)
        return {
            "DAILY": self.counts(day),
            "WEEKLY": first(week) == day,
            "MONTHLY": first(month) == day,
        }.get(self.frequency, False)

    def after(self, now, takes):
        """The first moment after `now`: a time that is skipped keeps the offset of before, one that comes twice is the first."""
        if self.frequency == "NONE":
            return None
        today = moment(now).astimezone(self.zone).date()
        for days in range(-2, 75):
            day = today + timedelta(days=days)
            local = datetime(day.year, day.month, day.day, self.hour, self.minute, tzinfo=self.zone, fold=0)
            at = (local.astimezone(timezone.utc) - EPOCH) // timedelta(microseconds=1)
            if at > now and takes(day):
                return at
        return None

    def next_turn(self, now):
        return self.after(now, self.takes)

    def next_day(self, now):
        return self.after(now, self.counts)


class Turns:
    """The turns of one portfolio's policy, or of its shadow."""

    def __init__(self):
        self.schedule, self.due, self.taken, self.open = None, None, [], None

    def follow(self, schedule, now):
        if not (schedule and schedule.same(self.schedule)):
            self.schedule, self.due = schedule, schedule.next_turn(now) if schedule else None

    def pass_to(self, now):
        """However many turns were missed, one is taken."""
        self.open = None
        if self.due is not None and now >= self.due:
            self.open = self.due
            self.taken.append(moment(self.due).isoformat().replace("+00:00", "Z"))
            self.due = self.schedule.next_turn(now)

    def closed(self, now):
        """No market was open: it comes again on the next day that counts."""
        again = self.schedule.next_day(now)
        if again is not None and (self.due is None or again < self.due):
            self.due = again
