"""What a process of ours does first: nothing around it may read its memory, its traffic or reroute it.

design.md section 8: the provider and the command drop what redirects TLS and proxies, leave no core file and cannot be
traced by other processes of the same user; their children see only what they need.
"""

import contextlib
import ctypes
import os
import resource
from collections.abc import Iterable, Mapping, MutableMapping

DROPPED = frozenset(
    {
        # writes the keys of every TLS session into a file
        "SSLKEYLOGFILE",
        # send our calls elsewhere
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "FTP_PROXY",
        "NO_PROXY",
        # make other certificates trusted
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    }
)
"""Names of variables in upper case; they are dropped in any case of letters."""

INHERITED = frozenset({"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "TERM"})
"""What every child may see."""

_PR_SET_DUMPABLE = 4


def harden(environ: MutableMapping[str, str] = os.environ) -> None:
    """Harden this process; to be called before anything reads the environment. Repeating it does no harm."""
    for name in list(environ):
        if name.upper() in DROPPED:
            del environ[name]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Linux alone knows this; elsewhere the empty core size has to do.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def child_environment(allowed: Iterable[str] = (), environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a child: what is harmless to all, and the names in `allowed`."""
    names = INHERITED | frozenset(allowed)
    return {name: value for name, value in environ.items() if name in names}
