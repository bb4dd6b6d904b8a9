"""Certificates for one test run, made by the program openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .brokers import program


class Authority:
    """A CA in a folder, and the certificates that it signs."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._run(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", f"/CN=Test {name}", "-keyout", self._key, "-out", self.certificate),
            *("-addext", "keyUsage = critical, keyCertSign, cRLSign"),  # else strict since Python 3.13
        )

    def sign(self, name: str, alternatives: str = "DNS:localhost", days: int = 2) -> tuple[Path, Path]:
        """Certificate and key for a name; with 0 days, the certificate has expired when it is made."""
        request, key, certificate = (self._folder / f"{name}.{end}" for end in ("csr", "key", "pem"))
        extensions = self._folder / f"{name}.extensions"
        extensions.write_text(
            f"subjectAltName = {alternatives}\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n"
        )
        self._run(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", f"/CN={name}", "-keyout", key, "-out", request),
        )
        self._run(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key),
            *("-CAcreateserial", "-extfile", extensions, "-days", days, "-out", certificate),
        )
        return certificate, key

    @staticmethod
    def _run(*arguments: object) -> None:
        subprocess.run([program("openssl"), *map(str, arguments)], check=True, capture_output=True)


def tls_listener(port: int, certificate: Path, key: Path, *more: str) -> str:
    """Lines for mosquitto.conf."""
    return "\n".join([f"listener {port}", f"certfile {certificate}", f"keyfile {key}", *more])
