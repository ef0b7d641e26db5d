"""What `up --secure FOLDER` changes: clients meet TLS, certificates and passwords, as in production.

FOLDER holds, as PEM: `ca.pem` (the authority), `server.pem` and `server.key` (both servers' certificate and its
unencrypted PKCS 8 key), and `password`, the one of the user `ballast` in Kafka and Postgres. Kafka wants a certificate
of the same authority from its clients too. The stack itself asks the broker on a plaintext port of its own and
Postgres on a socket in its private folder.
"""

import os
import shutil
from pathlib import Path
from typing import Optional

from .trouble import Trouble

BROKER_PORTS = ["internal"]
USER = "ballast"
FILES = ["ca.pem", "server.pem", "server.key", "password"]
HBA = f"local all {USER} trust\nhostssl all {USER} 127.0.0.1/32 scram-sha-256\n"


def password(folder: str) -> str:
    """The password, once every file is there."""
    for name in FILES:
        if not (Path(folder) / name).is_file():
            raise Trouble(f"--secure {folder}: there is no {name}; it takes {', '.join(FILES)}")
    return (Path(folder) / "password").read_text().strip()


def broker_settings(folder: str, listener: str, store: Path) -> dict:
    """The broker's properties for the clients' listener; key and certificate go to `store` as one file."""
    names = [Path(folder) / name for name in ("server.key", "server.pem")]
    store.touch(mode=0o600)
    store.write_text("".join(name.read_text() for name in names))
    prefix = f"listener.name.{listener.lower()}"
    return {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        f"{prefix}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        f"{prefix}.scram-sha-512.sasl.jaas.config":
            "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        f"{prefix}.ssl.keystore.type": "PEM",
        f"{prefix}.ssl.keystore.location": store,
        f"{prefix}.ssl.truststore.type": "PEM",
        f"{prefix}.ssl.truststore.location": Path(folder) / "ca.pem",
        f"{prefix}.ssl.client.auth": "required",
    }


def format_options(folder: str) -> list:
    """What makes the user known when the broker's storage is formatted."""
    return ["--add-scram", f"SCRAM-SHA-512=[name={USER},password={password(folder)}]"]


def furnish_postgres(folder: str, data: Path, account: Optional[tuple]) -> None:
    """Certificate, key and rules of access, where the server reads them."""
    for name in ("server.pem", "server.key"):
        target = data / name
        shutil.copyfile(Path(folder) / name, target)
        target.chmod(0o600)
        if account:
            os.chown(target, *account)
    (data / "pg_hba.conf").write_text(HBA)


def postgres_settings(data: Path) -> list:
    """The server's settings."""
    return ["ssl=on", f"ssl_cert_file={data}/server.pem", f"ssl_key_file={data}/server.key"]
