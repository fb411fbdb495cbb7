"""The legacy JSON of projects and releases, as ``/pypi/{project}/json`` of the public index has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from packaging.version import Version

from wheelgate.packages import CoreMetadata, File, parsed_version
from wheelgate.services.packages.merging import MergedProject
from wheelgate.services.packages.rendering import UrlPrefix, url_below

TEXT_KEYS = (
    "author",
    "author_email",
    "description",
    "description_content_type",
    "download_url",
    "home_page",
    "keywords",
    "license",
    "license_expression",
    "maintainer",
    "maintainer_email",
    "platform",
    "requires_python",
    "summary",
)
"""Keys of ``info`` with a text."""
LIST_KEYS = ("classifiers", "dynamic", "license_files", "provides_extra", "requires_dist")
"""Keys of ``info`` with a list of texts."""
KEY_BY_FIELD = {"classifier": "classifiers", "license_file": "license_files", "project_url": "project_urls"}
"""Keys that differ from the names of fields in core metadata."""
VERSION_DATA_KEYS = {"license_files": "license_file", "provides_extra": "provides_extras"}
"""Keys that have another name in the version data of uploaded releases."""
LISTED_KEYS = frozenset({*LIST_KEYS, "project_urls"})
NO_DOWNLOAD_COUNTS = {"last_day": -1, "last_month": -1, "last_week": -1}
"""What the public index writes since it counts no downloads."""


def matching_version(versions: Iterable[str], wanted: str) -> str:
    """Return the version that equals the wanted one (PEP 440), in the project's spelling; empty if there is none."""
    parsed = parsed_version(wanted)
    for version in versions:
        if version == wanted or (parsed is not None and parsed_version(version) == parsed):
            return version
    return ""


def newest_version(page: MergedProject) -> str:
    """Return the version that an installer takes by default: the newest that is neither yanked nor a pre-release.

    If there is none, return the newest of all; empty if the project has no version.
    """
    yanked = {
        version
        for version, files in files_by_version(page).items()
        if files and all(each.yanked is not None for each in files)
    }

    def rank(text: str) -> tuple[bool, bool, Version]:
        version = parsed_version(text)
        if version is None:
            return False, False, Version("0")
        return text not in yanked, not version.is_prerelease, version

    return max(page.versions, key=rank, default="")


def files_by_version(page: MergedProject) -> dict[str, list[File]]:
    """Return the files of each version."""
    found: dict[str, list[File]] = {version: [] for version in page.versions}
    for _, files in page.parts:
        for file in files:
            found.setdefault(file.version, []).append(file)
    return found


def legacy_document(
    page: MergedProject,
    version: str,
    metadata: Mapping[str, Any],
    files_at: UrlPrefix,
    project_url: str,
    *,
    whole: bool,
) -> dict[str, Any]:
    """Return the document of a project, or of one of its versions.

    Args:
        page: the project.
        version: the version that ``info`` and ``urls`` describe.
        metadata: its core metadata, with the keys of version data.
        files_at: makes the URLs of files.
        project_url: the address of the project for people.
        whole: whether to add the files of all versions.
    """
    files: dict[str, list[dict[str, Any]]] = {text: [] for text in (files_by_version(page) if whole else [version])}
    for index, part in page.parts:
        prefix = files_at(index)
        for file in part:
            if file.version in files:
                files[file.version].append(legacy_file(file, prefix))
    document: dict[str, Any] = {
        "info": legacy_info(page.name, version, metadata, files[version], project_url),
        "last_serial": 0,
        "urls": files[version],
        "vulnerabilities": [],
    }
    return document | ({"releases": files} if whole else {})


def legacy_metadata(read: CoreMetadata) -> dict[str, Any]:
    """Return core metadata with the keys of version data; of a text that occurs twice, the first counts."""
    metadata: dict[str, Any] = {}
    for header, values in read.fields.items():
        name = header.replace("-", "_")
        key = KEY_BY_FIELD.get(name, name)
        metadata[key] = ",".join(values) if key == "platform" else values if key in LISTED_KEYS else values[0]
    return metadata | ({"description": read.description} if read.description else {})


def legacy_info(
    name: str, version: str, metadata: Mapping[str, Any], files: Sequence[Mapping[str, Any]], project_url: str
) -> dict[str, Any]:
    """Return the description of a version."""
    reasons = [file["yanked_reason"] for file in files if file["yanked"]]
    requires_python = next((file["requires_python"] for file in files if file["requires_python"]), None)
    info: dict[str, Any] = {key: metadata.get(key) or None for key in TEXT_KEYS}
    info |= {key: list(metadata.get(key) or metadata.get(VERSION_DATA_KEYS.get(key, key)) or ()) for key in LIST_KEYS}
    return info | {
        "name": metadata.get("name") or name,
        "version": version,
        "requires_dist": info["requires_dist"] or None,
        "requires_python": info["requires_python"] or requires_python,
        "project_urls": project_urls(metadata.get("project_urls") or ()) or None,
        "package_url": project_url,
        "project_url": project_url,
        "release_url": f"{project_url}/{version}",
        "downloads": NO_DOWNLOAD_COUNTS,
        "yanked": bool(files) and len(reasons) == len(files),
        "yanked_reason": next((reason for reason in reasons if reason), None),
    }


def project_urls(given: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Return the URLs by label; core metadata have ``label, URL`` lines."""
    if isinstance(given, Mapping):
        return dict(given)
    pairs = (line.partition(",") for line in given)
    return {label.strip(): url.strip() for label, _, url in pairs}


def legacy_file(file: File, prefix: str) -> dict[str, Any]:
    """Return the description of a file."""
    digests = {"blake2b_256" if name == "blake2b" else name: digest for name, digest in file.hashes.items()}
    is_wheel, is_egg = file.name.endswith(".whl"), file.name.endswith(".egg")
    return {
        "comment_text": None,
        "digests": digests,
        "downloads": -1,
        "filename": file.name,
        "has_sig": False,
        "md5_digest": file.hashes.get("md5"),
        "packagetype": "bdist_wheel" if is_wheel else "bdist_egg" if is_egg else "sdist",
        "python_version": file.name.split("-")[-3] if is_wheel and file.name.count("-") > 3 else "source",
        "requires_python": file.requires_python or None,
        "size": file.size,
        "upload_time": file.upload_time[:19] if file.upload_time else None,
        "upload_time_iso_8601": file.upload_time,
        "url": url_below(prefix, file.path),
        "yanked": file.yanked is not None,
        "yanked_reason": file.yanked or None,
    }
