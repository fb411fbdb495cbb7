"""The metrics of the server: names, meanings and buckets, as Prometheus names them.

Each has a bounded number of label values. None of them is a user, an index, a project or an address.
"""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of durations."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric."""

    name: str
    """With the base unit, and ``_total`` if it is a counter."""
    kind: str
    """``counter``, ``gauge`` or ``histogram``."""
    help: str


BUILD_INFO = Metric("wheelgate_build_info", "gauge", "Version of the server; the value is 1.")
REQUESTS = Metric("wheelgate_http_requests_total", "counter", "Requests by method, address and status of the answer.")
REQUEST_SECONDS = Metric(
    "wheelgate_http_request_duration_seconds", "histogram", "Seconds from a request to the end of its answer."
)
IN_FLIGHT = Metric("wheelgate_http_requests_in_flight", "gauge", "Requests whose answer has not ended.")
UPLOADS = Metric("wheelgate_uploads_total", "counter", "Uploads and pushes: accepted, refused or failed.")
UPLOAD_BYTES = Metric("wheelgate_upload_bytes_total", "counter", "Bytes of the bodies of accepted uploads.")
DOWNLOADS = Metric("wheelgate_downloads_total", "counter", "Answers with a file, or with its metadata or provenance.")
LOGINS = Metric("wheelgate_logins_total", "counter", "Verified passwords and vouching proxies: success or failure.")
HASH_SECONDS = Metric("wheelgate_password_hash_seconds", "histogram", "Seconds to verify a password by its hash.")
PROVIDER_STATE = Metric(
    "wheelgate_provider_state", "gauge", "Workers that leave out a provider because it keeps failing; 0 is good."
)
SERIAL = Metric("wheelgate_database_serial", "gauge", "Number of changes since the server was made.")
PROCESS_START = Metric("process_start_time_seconds", "gauge", "Start of the oldest worker, in seconds since 1970.")
PROCESS_CPU = Metric("process_cpu_seconds_total", "counter", "Seconds of processor time of the workers that run now.")
PROCESS_MEMORY = Metric(
    "process_resident_memory_bytes", "gauge", "Bytes of memory of the workers, each with shared memory."
)
PROCESS_FILES = Metric("process_open_fds", "gauge", "Open file descriptors of the workers.")

METRICS = (
    *(BUILD_INFO, REQUESTS, REQUEST_SECONDS, IN_FLIGHT, UPLOADS, UPLOAD_BYTES, DOWNLOADS, LOGINS, HASH_SECONDS),
    *(PROVIDER_STATE, SERIAL, PROCESS_START, PROCESS_CPU, PROCESS_MEMORY, PROCESS_FILES),
)
"""All of them, in the order in which the server shows them."""
