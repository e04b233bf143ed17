"""Where values are shared: directories, object stores, anything fsspec reaches.

Not git transport, and not the choice of what to share (`gitmemo.sync`).
Invariant: objects are named by content and written once, so every transfer may
be repeated, interrupted or run twice at once, and nothing pulled is stored
before its bytes were checked against its blob id.
"""

from gitmemo.remotes.catalogue import holdings, known_on
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.plan import PullPlan, PushPlan, WantedBlob, plan_pull, plan_push
from gitmemo.remotes.pull import PullReport, pull
from gitmemo.remotes.push import PushReport, push
from gitmemo.remotes.remote import Remote, open_remote

__all__ = [
    "PullPlan",
    "PullReport",
    "PushPlan",
    "PushReport",
    "Remote",
    "RemoteConfig",
    "WantedBlob",
    "holdings",
    "known_on",
    "open_remote",
    "plan_pull",
    "plan_push",
    "pull",
    "push",
]
