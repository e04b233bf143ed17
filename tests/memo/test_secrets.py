"""What counts as a secret: text and bytes under a telling name, wherever that is."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

import pytest

import gitmemo as gm
from gitmemo.memo.secrecy import is_secret

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
