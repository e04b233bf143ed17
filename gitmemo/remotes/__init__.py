"""Where values are shared: directories, object stores, anything fsspec reaches.

Not git transport, and not the choice of what to share (`gitmemo.sync`).
Invariant: objects are named by content and written once, so every transfer may
be repeated, interrupted or run twice at once, and nothing pulled is stored
before its bytes were checked against its blob id.
"""

from typing import TYPE_CHECKING

from gitmemo.late import loader

if TYPE_CHECKING:
    from gitmemo.remotes.catalogue import holdings, read_catalogue
    from gitmemo.remotes.collecting import register
    from gitmemo.remotes.config import RemoteConfig
    from gitmemo.remotes.parallel import JOBS
    from gitmemo.remotes.plan import Catalogue, PullPlan, PushPlan, WantedBlob, plan_pull, plan_push
    from gitmemo.remotes.probing import Grade, Probe, probe
    from gitmemo.remotes.pulling import PullReport, planned_pull, pull
    from gitmemo.remotes.pushing import PushReport, planned_push, push
    from gitmemo.remotes.remote import Remote, open_remote, place_of
    from gitmemo.remotes.seen import forget_seen, known_on, was_looked_at

__all__ = [
    "JOBS",
    "Catalogue",
    "Grade",
    "Probe",
    "PullPlan",
    "PullReport",
    "PushPlan",
    "PushReport",
    "Remote",
    "RemoteConfig",
    "WantedBlob",
    "forget_seen",
    "holdings",
    "known_on",
    "open_remote",
    "place_of",
    "plan_pull",
    "plan_push",
    "planned_pull",
    "planned_push",
    "probe",
    "pull",
    "push",
    "read_catalogue",
    "register",
    "was_looked_at",
]

__getattr__ = loader(
    __name__,
    catalogue=("holdings", "read_catalogue"),
    collecting=("register",),
    config=("RemoteConfig",),
    parallel=("JOBS",),
    plan=("Catalogue", "PullPlan", "PushPlan", "WantedBlob", "plan_pull", "plan_push"),
    probing=("Grade", "Probe", "probe"),
    pulling=("PullReport", "planned_pull", "pull"),
    pushing=("PushReport", "planned_push", "push"),
    remote=("Remote", "open_remote", "place_of"),
    seen=("forget_seen", "known_on", "was_looked_at"),
)
