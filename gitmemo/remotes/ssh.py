"""Whom to believe at the other end of an SSH connection.

Not the connection (fsspec, paramiko). Invariant: a host whose key is in no
known_hosts file is not talked to; the driver on its own talks to anyone.
"""

from __future__ import annotations

from pathlib import Path

_KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


def host_key_policy() -> object:
    """Return the policy that believes what `ssh` was told to believe."""
    import paramiko

    class KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # it has no types
        """Accept the keys of known_hosts only."""

        def missing_host_key(
            self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
        ) -> None:
            for path in (Path(name).expanduser() for name in _KNOWN_HOSTS):
                if path.is_file() and paramiko.HostKeys(str(path)).check(hostname, key):
                    return
            raise PermissionError(
                f"the key of {hostname} is in no known_hosts file; connect to it once with `ssh`"
            )

    return KnownHosts()
