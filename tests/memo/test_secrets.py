"""What counts as a secret: text and bytes under a telling name, wherever that is."""

from __future__ import annotations

import enum
import functools
import time
from collections import deque
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import gitmemo as gm
from gitmemo.memo.secrecy import is_secret, secret_texts

SECRET = "hunter2-hunter2"


@dataclass
class Login:
    user: str
    password: str


@dataclass(slots=True)
class Slotted:
    auth_token: bytes


class Plain:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Row(NamedTuple):
    user: str
    secret: str


class Word(str):
    pass


class Key(enum.Enum):
    API_KEY = 1


NAMES = [
    "password",
    "passwords",
    "PASSWORD",
    "password_2",
    "db_password",
    "userPassword",
    "passwd",
    "passphrase",
    "secret",
    "secrets",
    "secret_key",
    "client-secret",
    "token",
    "tokens",
    "authToken",
    "auth_token",
    "token_1",
    "credential",
    "credentials",
    "api_key",
    "apiKey",
    "APIKey",
    "apikey",
    "api-keys",
    "x-api-key",
    "X-API-Key",
    "access_key",
    "accessKeyId",
    "aws_access_key_id",
    "private_key",
    "privateKey",
    "Authorization",
    "bearer",
    "bearerToken",
    "closure:password",
    "**api-key",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secrets(name):
    assert is_secret(name, SECRET)
    assert is_secret(name, SECRET.encode())
    assert is_secret("config", {name: SECRET})


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "user",
        "key",
        "keys",
        "keyboard",
        "primary_key",
        "tokenizer",
        "author",
        "authorized",
        "secretary",
        "passenger",
        "compass",
        "api",
        "accessibility",
        "keyAccess",
        "args_0",
    ],
)
def test_other_names(name):
    assert not is_secret(name, SECRET)
    assert not is_secret("config", {name: SECRET})


@pytest.mark.parametrize("value", [5, 5.0, None, True, [1, 2], {"a": 1}, {1, 2}, Plain(n=1)])
def test_numbers_are_no_secrets(value):
    assert not is_secret("token_count", value)
    assert not is_secret("config", {"max_tokens": value})


@pytest.mark.parametrize(
    "value",
    [
        {"x": SECRET}, [SECRET], (SECRET,), {SECRET}, frozenset({SECRET}), deque([SECRET]),
        {"x": [{"y": (SECRET,)}]}, bytearray(b"x"), memoryview(b"x"), Word(SECRET),
        SimpleNamespace(value=SECRET), Plain(inner=Plain(value=SECRET)), Row(SECRET, ""),
        [1, 2, SECRET],
    ],
)  # fmt: skip
def test_everything_under_a_secret_name_is_secret(value):
    assert is_secret("password", value)
    assert is_secret("config", {"token": value})
    assert not is_secret("config", {"user": value}) or isinstance(value, Row)


@pytest.mark.parametrize(
    "value",
    [
        Login("me", SECRET), Slotted(b"x"), Row("me", SECRET), SimpleNamespace(token=SECRET),
        [Login("me", SECRET)], {"logins": {"a": Plain(login=Login("me", SECRET))}},
        {b"password": SECRET}, {Key.API_KEY: SECRET}, {("db", "password"): SECRET},
        MappingProxyType({"token": SECRET}), {Word("token"): SECRET}, gm.wrap_atom({"token": "S"}),
        [gm.wrap_atom(Login("me", SECRET))],
    ],
)  # fmt: skip
def test_secrets_inside(value):
    assert is_secret("config", value)


def test_loops_sharing_and_code_end():
    loop: dict = {"n": 1}
    loop["again"] = [loop, Plain(loop=loop)]
    tower: list = [1]
    for _ in range(100):
        tower = [tower, tower]
    for value in (loop, tower, Login, is_secret, pytest, [[n] for n in range(300_000)]):
        assert not is_secret("config", value)
    loop["token"] = SECRET
    assert is_secret("config", loop)


def test_the_same_object_under_two_names():
    text = [SECRET]
    assert is_secret("config", {"a": text, "password": text})


@pytest.mark.parametrize("value", [{"x": SECRET}, [SECRET], Login("me", SECRET)])
def test_none_of_it_is_stored(tmp_path, value):
    @gm.op(name="log_in")
    def log_in(credentials):
        return 1

    with gm.Storage(tmp_path / "store"):
        log_in(value)
    for file in (tmp_path / "store").rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()


# --- in code, pairs and tables ---------------------------------------------------


def connect(user, password="", *, timeout=1):
    return user, password, timeout


def greet(user, *, timeout=1):
    return user, timeout


class Client:
    def __init__(self):
        self.token = SECRET

    def get(self):
        return 1


def closing_over():
    token = SECRET
    return lambda: token


def with_default(n, token=SECRET):
    return n, token


def with_keyword_default(n, *, token=SECRET):
    return n, token


@functools.wraps(closing_over())
def wrapping():
    return 1


IN_CODE = [
    functools.partial(connect, password=SECRET),
    functools.partial(connect, "me", SECRET),
    functools.partial(functools.partial(connect, password=SECRET), "me"),
    functools.partial(Client().get),
    functools.partialmethod(connect, password=SECRET),
    Client().get, closing_over(), with_default, with_keyword_default, wrapping,
    {"token": SECRET}.get, {"jobs": [closing_over()]},
]  # fmt: skip
PAIRS = [
    [("Authorization", SECRET)], (("x", "y"), ("api_key", SECRET)), [["password", SECRET]],
    {("token", SECRET)}, {"headers": [(b"authorization", SECRET.encode())]},
    deque([("password", [SECRET])]),
]  # fmt: skip
TABLES = [
    pd.DataFrame({"n": [1, 2], "password": [None, SECRET]}),
    pd.DataFrame({"n": [1], "password": pd.Series([SECRET], dtype="string")}),
    pd.DataFrame({"n": [1], "password": pd.Series([SECRET], dtype="category")}),
    pd.DataFrame({"n": [1], ("db", "password"): [SECRET]}),
    pd.DataFrame({"n": [1]}, index=pd.Index([SECRET], name="token")),
    pd.DataFrame({"n": [1]}, index=pd.MultiIndex.from_tuples([(1, SECRET)], names=["n", "token"])),
    pd.Series([SECRET], name="token"), pd.Index([SECRET], name="token"),
    {"passwords": pd.DataFrame({"a": [SECRET]})}, {"tokens": np.array([SECRET])},
    {"tokens": np.array([SECRET], dtype=object)},
]  # fmt: skip


@pytest.mark.parametrize("value", [*IN_CODE, *PAIRS, *TABLES])
def test_secrets_in_code_pairs_and_tables(value):
    assert is_secret("x", value)
    assert SECRET in [_text(found) for found in secret_texts("x", value)]


def _text(found):
    return found.decode() if isinstance(found, bytes) else found


@pytest.mark.parametrize(
    "value",
    [
        functools.partial(greet, SECRET, timeout=SECRET), greet, test_names_of_secrets, print,
        Plain().__init__, [("user", SECRET)], ("a", "b", "token"), [("token", 5)], "token",
        pd.DataFrame({"n": ["password"], "tokens": [5]}), np.array([SECRET]),
        pd.Series([SECRET]), {"tokens": np.arange(3)}, ["x" * 1_000_000, SECRET],
    ],
)  # fmt: skip
def test_no_secrets_in_code_pairs_and_tables(value):
    assert not is_secret("x", value)


def test_a_large_table_costs_little():
    table = pd.DataFrame({f"c{n}": np.arange(10) for n in range(300)})
    table["password"] = 0
    is_secret("x", table)
    started = time.perf_counter()
    assert not is_secret("x", table)
    assert time.perf_counter() - started < 0.05


@pytest.mark.parametrize("value", [IN_CODE[0], Client().get, closing_over(), PAIRS[0], TABLES[0]])
def test_none_of_what_they_hold_is_stored(tmp_path, value):
    @gm.op(name="secrets.use")
    def use(value):
        if use_fails:
            raise ValueError(f"cannot use {getattr(value, 'keywords', value)}")
        return 1

    use_fails = False
    with gm.Storage(tmp_path / "store"):
        use(value)
    use_fails = True
    with gm.Storage(tmp_path / "store"), pytest.raises(ValueError, match="cannot use"):
        use(value)
    assert not holders_of(SECRET, tmp_path)


def holders_of(text, folder):
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return [file for file in files if text.encode() in bytes_of(file)]


def bytes_of(file):
    try:
        return file.read_bytes()
    except FileNotFoundError:  # SQLite's own, gone with the last connection
        return b""


@pytest.mark.parametrize("times", [1, 50])
def test_an_output_named_like_a_secret_is_not_stored(tmp_path, times):
    log = tmp_path / "log"

    @gm.op(name="secrets.log_in", output_names=["api_key", "token_count"])
    def log_in(user):
        secret = "-".join(["hunter2"] * 2) * times
        with log.open("a") as file:
            file.write(user)
        return {"main": secret}, 5

    @gm.op(name="secrets.length")
    def length(keys):
        return len(keys["main"])

    for _ in range(2):
        with gm.Storage(tmp_path / "store") as storage:
            key, count = log_in("me")
            assert storage.unwrap(length(key)) == len(SECRET) * times
            assert storage.unwrap(count) == 5
            assert not holders_of(SECRET, tmp_path)
    assert log.read_text() == "me"
    with gm.Storage(tmp_path / "store") as storage:
        assert storage.unwrap(log_in("me")[0]) == {"main": SECRET * times}
    assert log.read_text() == "meme"
