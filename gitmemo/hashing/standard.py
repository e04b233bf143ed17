"""Encoding of the standard library's value types.

Not code and objects (`structure`). Invariant: what a type shows differently in
different Python versions, such as the module of `Path`, is not part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmemo.errors import Unhashable
from gitmemo.hashing.encoding import Encoder, mapping
from gitmemo.hashing.parts import collapse, raw, record, sequence
from gitmemo.hashing.registry import bases, exact
from gitmemo.hashing.structure import MAINS, main_name

if TYPE_CHECKING:
    import array
    import decimal
    import fractions
    import logging
    import pathlib
    import re
    import uuid


def install_collections() -> None:
    from collections import Counter, OrderedDict, defaultdict, deque

    def contents(encoder: Encoder, value: Any) -> bytes:
        return collapse(mapping(encoder, value))

    @exact(OrderedDict)
    def _ordered_dict(encoder: Encoder, value: OrderedDict[object, object]) -> bytes:
        return record("collections.OrderedDict", contents(encoder, value))

    @exact(Counter)
    def _counter(encoder: Encoder, value: Counter[object]) -> bytes:
        return record("collections.Counter", contents(encoder, value))

    @exact(defaultdict)
    def _defaultdict(encoder: Encoder, value: defaultdict[object, object]) -> bytes:
        factory = encoder.part(value.default_factory)
        return record("collections.defaultdict", factory, contents(encoder, value))

    @exact(deque)
    def _deque(encoder: Encoder, value: deque[object]) -> bytes:
        items = collapse(sequence(b"L", encoder.elements(value)))
        return record("collections.deque", items, encoder.part(value.maxlen))


def install_decimal() -> None:
    from decimal import Decimal

    @exact(Decimal)
    def _decimal(encoder: Encoder, value: decimal.Decimal) -> bytes:
        return encoder.record("decimal.Decimal", str(value))


def install_fractions() -> None:
    from fractions import Fraction

    @exact(Fraction)
    def _fraction(encoder: Encoder, value: fractions.Fraction) -> bytes:
        return encoder.record("fractions.Fraction", value.numerator, value.denominator)


def install_uuid() -> None:
    from uuid import UUID

    @exact(UUID)
    def _uuid(encoder: Encoder, value: uuid.UUID) -> bytes:
        return encoder.record("uuid.UUID", value.bytes)


def install_array() -> None:
    import sys
    from array import array as array_type

    @exact(array_type)
    def _array(encoder: Encoder, value: array.array[Any]) -> bytes:
        if sys.byteorder == "big":
            value = value[:]
            value.byteswap()
        data = raw(memoryview(value).cast("B"))
        return record(
            "array.array", encoder.part(value.typecode), encoder.part(value.itemsize), data
        )


def install_datetime() -> None:
    from datetime import date, datetime, time, timedelta, timezone

    @exact(date)
    def _date(encoder: Encoder, value: date) -> bytes:
        return encoder.record("datetime.date", value.isoformat())

    @exact(datetime)
    def _datetime(encoder: Encoder, value: datetime) -> bytes:
        local = value.replace(tzinfo=None).isoformat()
        return encoder.record("datetime.datetime", local, value.fold, value.tzinfo)

    @exact(time)
    def _time(encoder: Encoder, value: time) -> bytes:
        local = value.replace(tzinfo=None).isoformat()
        return encoder.record("datetime.time", local, value.fold, value.tzinfo)

    @exact(timedelta)
    def _timedelta(encoder: Encoder, value: timedelta) -> bytes:
        return encoder.record("datetime.timedelta", value.days, value.seconds, value.microseconds)

    @exact(timezone)
    def _timezone(encoder: Encoder, value: timezone) -> bytes:
        return encoder.record("datetime.timezone", value.utcoffset(None), value.tzname(None))


def install_zoneinfo() -> None:
    from zoneinfo import ZoneInfo

    @exact(ZoneInfo)
    def _zone(encoder: Encoder, value: ZoneInfo) -> bytes:
        if value.key is None:
            raise Unhashable("zoneinfo.ZoneInfo", "", "it was read from a file and has no key")
        return encoder.record("zoneinfo.ZoneInfo", value.key)


def install_pathlib() -> None:
    from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath

    own = {
        Path: "Path",
        PosixPath: "Path",
        WindowsPath: "Path",
        PurePosixPath: "PurePosixPath",
        PureWindowsPath: "PureWindowsPath",
    }

    @bases(PurePath)
    def _path(encoder: Encoder, value: pathlib.PurePath) -> bytes:
        name = own.get(type(value))
        if name is None:
            return encoder.record("pathlib", type(value), value.as_posix())
        return encoder.record("pathlib", name, value.as_posix())


def install_re() -> None:
    from re import Pattern

    @exact(Pattern)
    def _pattern(encoder: Encoder, value: re.Pattern[Any]) -> bytes:
        return encoder.record("re.Pattern", value.pattern, value.flags)


def install_logging() -> None:
    from logging import Logger

    @bases(Logger)
    def _logger(encoder: Encoder, value: logging.Logger) -> bytes:
        """Encode a name: levels and handlers are the program's, and say nothing of results."""
        first, dot, rest = value.name.partition(".")
        module = main_name() if first in MAINS else first
        return encoder.record("logging.Logger", module + dot + rest)
