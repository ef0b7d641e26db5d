"""Exact numbers and moments: rationals in, decimals of a fixed scale out."""

import datetime
import hashlib
import json
import uuid
from fractions import Fraction

NAMESPACE = uuid.UUID("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Number(str):
    """A JSON number as its text, so that no float ever stands in between."""


def read(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


def num(value, default=None):
    if value is None:
        return default
    return Fraction(str(value))


def half_even(value, scale):
    """The nearest multiple of 10^-scale, ties to the even one: Python's `round` on a Fraction."""
    return Fraction(round(Fraction(value) * 10**scale), 10**scale)


def toward_zero(value, step):
    lots = abs(value) / step
    lots = lots.numerator // lots.denominator
    return lots * step * (1 if value >= 0 else -1)


def nearest(value, step):
    """To the nearest step, halves away from zero."""
    lots = abs(value) / step + Fraction(1, 2)
    lots = lots.numerator // lots.denominator
    return lots * step * (1 if value >= 0 else -1)


def micros(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def day_of(micros_since_1970):
    return (EPOCH + datetime.timedelta(microseconds=micros_since_1970)).date().isoformat()


def uuid5(*parts):
    name = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return str(uuid.UUID(bytes=hashlib.sha1(NAMESPACE.bytes + name).digest()[:16], version=5))
