"""The names that programs written for mandala import from its `utils`; no logic of its own."""

from gitmemo.codecs import deserialize, serialize
from gitmemo.display.scripted import mock_input
from gitmemo.hashing import content_hash as get_content_hash

__all__ = ["deserialize", "get_content_hash", "mock_input", "serialize"]
