"""The same names as `gitmemo.imports`, under the older of its two names."""

from gitmemo.imports import *  # noqa: F403
from gitmemo.imports import __all__ as __all__
