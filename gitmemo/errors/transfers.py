"""What goes wrong with the bytes of values, here and on their way to and from remotes."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError
from gitmemo.quantities import count
from gitmemo.short_ids import short


class BlobCorrupt(GitmemoError):
    """The bytes of a stored value are not the ones that were written."""

    kind = "blob-corrupt"
    exit_code = 4

    def __init__(self, blob: str, where: str, reason: str) -> None:
        """`blob` is the blob id in hex; `where` names the file."""
        super().__init__(blob, where, reason)
        self.blob, self.where, self.reason = blob, where, reason

    def problem(self) -> str:
        return f"the stored value {short(self.blob)} is damaged in {self.where}: {self.reason}"

    def remedy(self) -> str:
        return "fetch it again with `gitmemo pull`, or run the script again, which recomputes it"


class RemoteDriverMissing(GitmemoError):
    """A remote needs a package that is not installed."""

    kind = "remote-driver-missing"
    exit_code = 5

    def __init__(self, name: str, url: str, requirement: str) -> None:
        """`requirement` is what to give to `pip install`."""
        super().__init__(name, url, requirement)
        self.name, self.url, self.requirement = name, url, requirement

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) needs a package that is not installed"

    def remedy(self) -> str:
        return f"pip install '{self.requirement}'"


class RemoteUnreachable(GitmemoError):
    """A remote did not answer, or refused."""

    kind = "remote-unreachable"
    exit_code = 5

    def __init__(self, name: str, url: str, reason: str, moved: int = 0) -> None:
        """`moved` values were transferred before."""
        super().__init__(name, url, reason, moved)
        self.name, self.url, self.reason, self.moved = name, url, reason, moved

    def after(self, moved: int) -> RemoteUnreachable:
        """Return the same error, after `moved` values were transferred."""
        return type(self)(self.name, self.url, self.reason, moved)

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) cannot be used: {self.reason}"

    def remedy(self) -> str:
        if "://" not in self.url or self.url.startswith(("file://", "local://")):
            what = "that the folder it lies in is there and mounted, and that you may write there"
        else:
            what = "the address, the network and your credentials"
        return f"check {what}, then {self._again()}"

    def _again(self) -> str:
        kept = f" (values: {self.moved})" if self.moved else ""
        return f"repeat the command; what was transferred so far{kept} is kept"


class RemoteDenied(RemoteUnreachable):
    """A remote answers, and does not let us in."""

    kind = "remote-denied"

    def remedy(self) -> str:
        if "Credentials" in self.reason:  # botocore found none, or a part of them
            return (
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or take a profile of ~/.aws: "
                f"gitmemo remote modify --local {self.name} profile=PROFILE; then {self._again()}"
            )
        return (
            "check your credentials, and that they may list, read and (to push) write there, "
            f"then {self._again()}"
        )


class RemoteOptionUnknown(RemoteUnreachable):
    """The driver of a remote does not know one of its options."""

    kind = "remote-option-unknown"

    def __init__(self, name: str, url: str, reason: str, moved: int = 0) -> None:
        """`reason` is the option."""
        super().__init__(name, url, reason, moved)

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) cannot have the option {self.reason!r}"

    def remedy(self) -> str:
        unset = f"gitmemo remote modify {self.name} --unset {self.reason}"
        return f"{unset} (with --local if this clone alone says it)"


class RemoteFull(RemoteUnreachable):
    """There is no room left on a remote."""

    kind = "remote-full"

    def remedy(self) -> str:
        return f"make room there, then {self._again()}"


class RemoteReadOnly(RemoteUnreachable):
    """A remote can be read only."""

    kind = "remote-read-only"

    def remedy(self) -> str:
        return "push to the place that it shows, under an address that can be written"


class RemoteFolderLinked(RemoteUnreachable):
    """A folder of a remote that is a directory is a link: what lies behind it is not the remote's."""

    kind = "remote-folder-linked"

    def __init__(self, name: str, url: str, reason: str, moved: int = 0) -> None:
        """`reason` is the path of the folder."""
        super().__init__(name, url, reason, moved)

    def problem(self) -> str:
        return f"in the remote {self.name!r} ({self.url}) the folder {self.reason} is a link"

    def remedy(self) -> str:
        return (
            "put a folder in its place, with what it leads to if that is the remote's (the whole "
            f"directory may lie elsewhere, not parts of it), then {self._again()}"
        )


class RemoteNotListed(RemoteUnreachable):
    """A web server cannot say what it has, and no push has left a listing there."""

    kind = "remote-not-listed"

    def __init__(self, name: str, url: str, reason: str, moved: int = 0) -> None:
        """`reason` is the name of the listing that is not there."""
        super().__init__(name, url, reason, moved)

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) is a web server without {self.reason}"

    def remedy(self) -> str:
        return (
            "push something to the remote that the server shows, and if it shows a copy, "
            "copy what is there again"
        )


class RemotePlaceMissing(RemoteUnreachable):
    """A service answers, and has no such bucket or folder."""

    kind = "remote-place-missing"

    def remedy(self) -> str:
        return f"check the address; make the bucket if it is new, then {self._again()}"


class RemoteGone(RemoteUnreachable):
    """A directory where values were seen holds none: it is not mounted, or was emptied."""

    kind = "remote-gone"

    def __init__(self, name: str, url: str, reason: str, moved: int = 0) -> None:
        """`reason` says what is there instead."""
        super().__init__(name, url, reason, moved)

    def problem(self) -> str:
        return (
            f"the remote {self.name!r} ({self.url}) is gone: {self.reason}, and values were seen "
            "there (not mounted?)"
        )

    def remedy(self) -> str:
        return (
            "mount it, or correct its address; if it is gone for good, begin it anew: "
            f"gitmemo push -r {self.name} --anew"
        )


class RemoteMissing(GitmemoError):
    """A remote answers, but nobody has pushed to it."""

    kind = "remote-missing"
    exit_code = 5

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name, url)
        self.name, self.url = name, url

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) holds no gitmemo values"

    def remedy(self) -> str:
        return "check its address, or run `gitmemo push` where the values are"


class RemoteTooNew(GitmemoError):
    """A remote was written by a later gitmemo."""

    kind = "remote-too-new"
    exit_code = 5

    def __init__(self, name: str, url: str, format: str) -> None:
        super().__init__(name, url, format)
        self.name, self.url, self.format = name, url, format

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) has format {self.format}, unknown here"

    def remedy(self) -> str:
        upgrade = "pip install --upgrade gitmemo"
        if not self.format.startswith("("):
            return upgrade
        return (
            "look at gitmemo-remote.json there: if it is damaged, delete it, and the next push writes "
            f"it again; if a later gitmemo wrote it: {upgrade}"
        )


class RemoteUnsigned(GitmemoError):
    """Values of a remote are not signed with a key that is trusted here, and that is required."""

    kind = "remote-unsigned"
    exit_code = 6

    def __init__(self, name: str, refused: int, stored: int) -> None:
        super().__init__(name, refused, stored)
        self.name, self.refused, self.stored = name, refused, stored

    def problem(self) -> str:
        return (
            f"not fetched: {count(self.refused, 'value')} without a signature of a trusted key on the "
            f"remote {self.name!r}, or not there; {count(self.stored, 'other')} arrived"
        )

    def remedy(self) -> str:
        return (
            "run `gitmemo push` where the values and the key are; or fetch them unsigned: gitmemo "
            f"remote key {self.name} --optional"
        )


class RemoteCorrupt(GitmemoError):
    """Objects of a remote do not hold what their names promise."""

    kind = "remote-corrupt"
    exit_code = 4

    def __init__(self, name: str, objects: tuple[str, ...], stored: int, lost: int) -> None:
        """`stored` values arrived all the same, `lost` did not."""
        super().__init__(name, objects, stored, lost)
        self.name, self.objects, self.stored, self.lost = name, objects, stored, lost

    def problem(self) -> str:
        shown = ", ".join(self.objects[:3]) + (", …" if len(self.objects) > 3 else "")
        return (
            f"{count(self.lost, 'value')} could not be pulled because the remote {self.name!r} is "
            f"damaged in {shown}; {count(self.stored, 'other')} arrived"
        )

    def remedy(self) -> str:
        return "delete these objects in the remote, then run `gitmemo push` where the values are"


class RemoteObjectRefused(GitmemoError, ValueError):
    """What a remote offers under the name of an object cannot be one that gitmemo wrote."""

    kind = "remote-object-refused"
    exit_code = 4

    def __init__(self, name: str, object_name: str, reason: str) -> None:
        """`reason` goes on after the name of the object."""
        super().__init__(name, object_name, reason)
        self.name, self.object_name, self.reason = name, object_name, reason

    def problem(self) -> str:
        return f"in the remote {self.name!r} the object {self.object_name} {self.reason}"

    def remedy(self) -> str:
        return (
            "look who may write there; delete the object, then run `gitmemo push` where the "
            "values are"
        )
