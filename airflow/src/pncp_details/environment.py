"""What the program finds in its environment: only what it reads. Airflow's own settings, its keys and the other secrets of
a worker do not get there."""

import os
from collections.abc import Mapping
from typing import Any

NAMES = {
    "PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "XDG_STATE_HOME",
    "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "PNCP_CONSULTA_URL", "PNCP_DETAIL_URL", "BUCKET_BRONZE", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
}
# Where a store is and who asks it: taken from the worker only when no Connection says so.
STORE_NAMES = {
    "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "MINIO_ENDPOINT_URL", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_REGION_NAME",
}
CA_NAME = "AWS_CA_BUNDLE"


def environment(scheduler_run_id: str | None = None, store: Mapping[str, str] | None = None,
                more: Mapping[str, str] | None = None) -> dict[str, str]:
    """`store`: of connection_environment(); `more`: further variables, which win."""
    names = NAMES | {CA_NAME} | (set() if store else STORE_NAMES)
    env = {name: value for name, value in os.environ.items() if name in names}
    env.update(store or {})
    if scheduler_run_id:
        env["PNCP_SCHEDULER_RUN_ID"] = scheduler_run_id
    env.update({name: str(value) for name, value in (more or {}).items()})
    return env


def connection_environment(connection: Any) -> dict[str, str]:
    """Of an Airflow Connection of type aws: login and password are the key pair; extra has endpoint_url, region_name,
    aws_session_token. (host) and (port) make the address of a MinIO when extra has none."""
    extra = connection.extra_dejson or {}
    service = (extra.get("service_config") or {}).get("s3") or {}
    address = service.get("endpoint_url") or extra.get("endpoint_url") or extra.get("host")
    if not address and connection.host:
        scheme = connection.schema if connection.schema in ("http", "https") else "http"
        address = connection.host if "://" in connection.host else f"{scheme}://{connection.host}"
        if connection.port:
            address += f":{connection.port}"
    values = {
        "AWS_ENDPOINT_URL_S3": address,
        "AWS_ACCESS_KEY_ID": connection.login or extra.get("aws_access_key_id"),
        "AWS_SECRET_ACCESS_KEY": connection.password or extra.get("aws_secret_access_key"),
        "AWS_SESSION_TOKEN": extra.get("aws_session_token"),
        "AWS_REGION": extra.get("region_name"),
    }
    return {name: str(value) for name, value in values.items() if value}
