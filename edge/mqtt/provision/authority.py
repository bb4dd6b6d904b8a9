"""A certificate authority in a folder; the program openssl does all its cryptography."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edge.mqtt.errors import MqttError, MqttSettingsError

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class ProvisionError(MqttError):
    """Raised when a program is missing or fails, or the folder cannot be written."""


def run(program: str, *arguments: object, text: str = "") -> None:
    """Run a program with a text on its standard input.

    Raises:
        ProvisionError: when it is not installed or fails; the message has the last line of its output.
    """
    # Debian installs mosquitto's programs in folders that only root has in PATH.
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        raise ProvisionError(f"{program} is not installed; run: sudo apt-get install openssl mosquitto")
    done = subprocess.run(
        [found, *map(str, arguments)], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ProvisionError(f"{program} {arguments[0]} failed: {said}")


class Authority:
    """Signs certificates that are valid for a number of days, and its own for twice as long.

    Args:
        folder: where `ca.crt` and `ca.key` are; they are made if missing.
        days: for which new certificates are valid.

    Raises:
        ProvisionError: from the constructor and every method, see `run`.
    """

    def __init__(self, folder: Path, days: int) -> None:
        self.certificate = folder / "ca.crt"
        self._key = folder / "ca.key"
        self._days = days
        if not self.certificate.exists():
            self._make()

    def _make(self) -> None:
        self.certificate.parent.mkdir(parents=True, exist_ok=True)
        run(
            "openssl",
            *("req", "-x509", *_KEY, "-days", 2 * self._days, "-subj", "/CN=affectd CA"),
            *("-addext", "keyUsage = critical, keyCertSign, cRLSign"),
            *("-keyout", self._key, "-out", self.certificate),
        )

    def certify_broker(self, hosts: Sequence[str], certificate: Path, key: Path) -> None:
        """Make a certificate for the names and addresses under which a broker is reached."""
        names = ", ".join(f"{'IP' if _is_address(host) else 'DNS'}:{host}" for host in hosts)
        self._sign(hosts[0], "serverAuth", names, certificate, key)

    def certify_client(self, name: str, certificate: Path, key: Path) -> None:
        """Make a certificate that proves the identity of a client."""
        self._sign(name, "clientAuth", f"DNS:{name}", certificate, key)

    def _sign(self, name: str, use: str, names: str, certificate: Path, key: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            request, extensions = Path(folder, "request"), Path(folder, "extensions")
            extensions.write_text(
                "basicConstraints = critical, CA:FALSE\n"
                "keyUsage = critical, digitalSignature\n"
                f"extendedKeyUsage = {use}\n"
                "subjectKeyIdentifier = hash\n"
                "authorityKeyIdentifier = keyid\n"
                f"subjectAltName = {names}\n",
                encoding="ascii",
            )
            run("openssl", "req", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
            serial = ("-CAserial", Path(folder, "serial"), "-CAcreateserial")
            run(
                "openssl",
                *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, *serial),
                *("-days", self._days, "-extfile", extensions, "-out", certificate),
            )


def check_host(host: str) -> None:
    """Check that a host may stand in a certificate.

    Raises:
        MqttSettingsError: when it may not.
    """
    plain = host.isascii() and host.replace(".", "").replace("-", "").isalnum()
    if not (_is_address(host) or (plain and len(host) <= 64)):
        raise MqttSettingsError(f"host {host!r}: give a host name of up to 64 characters, or an IP address")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
