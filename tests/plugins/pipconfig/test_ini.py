"""pip.conf, ~/.pydistutils.cfg and default.cfg: the changes of an edit, and the lines that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Target

SIMPLE = "http://pkgs.example:3141/alice/dev/+simple/"
INDEX = "http://pkgs.example:3141/alice/dev/"
SERVER = "http://pkgs.example:3141/"
OURS = f"index-url = {SIMPLE}\n"
SEARCH = f"[search]\nindex = {INDEX}\n"


@pytest.mark.parametrize(
    ("tool", "before", "after"),
    [
        pytest.param("setuptools", None, f"[easy_install]\nindex_url = {SIMPLE}\n", id="setuptools-fresh"),
        pytest.param(
            "setuptools",
            "[easy_install]\nindex-url: x\nzip_ok = 0\n",
            f"[easy_install]\nindex-url: {SIMPLE}\nzip_ok = 0\n",
            id="setuptools-dashed",
        ),
        pytest.param("buildout", None, f"[buildout]\nindex = {SIMPLE}\n", id="buildout-fresh"),
        pytest.param(
            "buildout",
            "[buildout]\nindex = x\n[buildout]\neggs-directory = ~/eggs\nindex = y\n",
            f"[buildout]\nindex = x\n[buildout]\neggs-directory = ~/eggs\nindex = {SIMPLE}\n",
            id="buildout-last-counts",
        ),
        pytest.param(
            "buildout",
            "[buildout]\nparts = a\n[buildout]\n",
            f"[buildout]\nparts = a\n[buildout]\nindex = {SIMPLE}\n",
            id="buildout-two-sections",
        ),
        pytest.param(
            "buildout",
            "[buildout]\nindex:x = 1\n",
            f"[buildout]\nindex:x = 1\nindex = {SIMPLE}\n",
            id="buildout-colon-in-a-name",
        ),
        pytest.param("pip", None, f"[global]\n{OURS}{SEARCH}", id="fresh"),
        pytest.param("pip", "", f"[global]\n{OURS}{SEARCH}", id="empty"),
        pytest.param("pip", "[global]", f"[global]\n{OURS}{SEARCH}", id="bare-section-without-newline"),
        pytest.param("pip", "[global]\n", f"[global]\n{OURS}{SEARCH}", id="bare-section"),
        pytest.param("pip", "# mine", f"# mine\n[global]\n{OURS}{SEARCH}", id="comment-without-newline"),
        pytest.param("pip", "  # mine\n", f"  # mine\n[global]\n{OURS}{SEARCH}", id="indented-comment-first"),
        pytest.param(
            "pip",
            "[install]\nindex-url = http://corp.example/\n",
            f"[install]\nindex-url = http://corp.example/\n[global]\n{OURS}{SEARCH}",
            id="other-section",
        ),
        pytest.param(
            "pip",
            "[global]\n; why\nindex_url=http://corp.example/\ntimeout = 5\n\n# tail\n",
            f"[global]\n; why\nindex_url={SIMPLE}\ntimeout = 5\n\n# tail\n{SEARCH}",
            id="spelling-and-place-kept",
        ),
        pytest.param(
            "pip", "[global]\nINDEX-URL : x\n", f"[global]\nINDEX-URL : {SIMPLE}\n{SEARCH}", id="colon-and-case"
        ),
        pytest.param(
            "pip", "[global]\n--index-url = x\n", f"[global]\n--index-url = {SIMPLE}\n{SEARCH}", id="option-dashes"
        ),
        pytest.param("pip", "[global]\nindex-url =\n", f"[global]\n{OURS}{SEARCH}", id="empty-value"),
        pytest.param(
            "pip",
            "[global]\nindex-url =\n    http://corp.example/\n    # note\ntimeout = 5\n",
            f"[global]\n{OURS}    # note\ntimeout = 5\n{SEARCH}",
            id="value-on-the-next-line",
        ),
        pytest.param(
            "pip",
            "[global]\nfind-links =\n    a\n# note\n\n    b\nno-index = 0\n",
            f"[global]\nfind-links =\n    a\n# note\n\n    b\nno-index = 0\n{OURS}{SEARCH}",
            id="comment-and-blank-line-in-a-value",
        ),
        pytest.param(
            "pip",
            "[global]\nfind-links =\n    a\n# note\n\n    b\n",
            f"[global]\nfind-links =\n    a\n# note\n\n    b\n{OURS}{SEARCH}",
            id="comment-and-blank-line-in-the-last-value",
        ),
        pytest.param(
            "pip",
            "  [global]\n  timeout = 5\n  [install]\n  user = 1\n",
            f"  [global]\n  timeout = 5\n  {OURS}  [install]\n  user = 1\n{SEARCH}",
            id="indented-file",
        ),
        pytest.param(
            "pip",
            "[global]\n  [install]\n  user = 1\n",
            f"[global]\n  {OURS}  [install]\n  user = 1\n{SEARCH}",
            id="indented-section-below",
        ),
        pytest.param(
            "pip",
            "[global]\ntimeout = 5\n\n\n[install]\nuser = 1",
            f"[global]\ntimeout = 5\n{OURS}\n\n[install]\nuser = 1\n{SEARCH}",
            id="no-final-newline",
        ),
        pytest.param(
            "pip",
            "[search]\nindex = x\n[global]\nindex-url = x",
            f"[search]\nindex = {INDEX}\n[global]\nindex-url = {SIMPLE}",
            id="no-final-newline-in-our-line",
        ),
        pytest.param(
            "pip",
            "# c\r\n[global]\r\ntimeout = 5",
            f"# c\n[global]\ntimeout = 5\n{OURS}{SEARCH}".replace("\n", "\r\n"),
            id="crlf",
        ),
        pytest.param(
            "pip",
            "# c\r\n[global]\ntimeout = 5\r\n",
            f"# c\r\n[global]\ntimeout = 5\r\n{OURS}{SEARCH}",
            id="mixed-line-ends",
        ),
    ],
)
def test_plan(writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, before: str | None, after: str) -> None:
    """The edit points the tool at the index and keeps every other byte; a second edit changes nothing."""
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before.encode())

    edit = writers[tool].plan(path, Target(SIMPLE, INDEX))

    assert edit.after is not None
    assert edit.after.decode() == after
    assert edit.before == (before.encode() if before is not None else None)
    assert not edit.has_secret
    path.write_bytes(edit.after)
    assert writers[tool].plan(path, Target(SIMPLE, INDEX)).after == edit.after


@pytest.mark.parametrize(
    ("before", "trusted", "after"),
    [
        pytest.param("", True, "trusted-host = pkgs.example\n", id="new"),
        pytest.param("", False, "", id="nothing-to-take-out"),
        pytest.param("trusted-host = pkgs.example\n", None, "trusted-host = pkgs.example\n", id="left"),
        pytest.param("trusted_host =\n", True, "trusted_host = pkgs.example\n", id="empty"),
        pytest.param("trusted_host = a\n", True, "trusted_host = a\n    pkgs.example\n", id="second"),
        pytest.param(
            "trusted-host =\n  a\n  b:81\n", True, "trusted-host =\n  a\n  b:81\n  pkgs.example\n", id="third"
        ),
        pytest.param("trusted-host = a\n  # c\n", True, "trusted-host = a\n    pkgs.example\n  # c\n", id="comment"),
        pytest.param("trusted-host = a pkgs.example\n", True, "trusted-host = a pkgs.example\n", id="already"),
        pytest.param("trusted-host = pkgs.example\n", False, "", id="out"),
        pytest.param("trusted-host = a\n    pkgs.example\n", False, "trusted-host = a\n", id="out-of-two"),
        pytest.param("trusted-host = pkgs.example a\n", False, "trusted-host = a\n", id="out-of-one-line"),
        pytest.param(
            "trusted-host = pkgs.example\n  # pkgs.example\n\n  b pkgs.example\n",
            False,
            "trusted-host = \n  # pkgs.example\n\n  b \n",
            id="out-of-several-lines",
        ),
        pytest.param(
            "trusted-host = pkgs.example:81 my-pkgs.example\n",
            False,
            "trusted-host = pkgs.example:81 my-pkgs.example\n",
            id="other-hosts-stay",
        ),
        pytest.param(
            "trusted-host = pkgs.example:81 pkgs.example my-pkgs.example\n",
            False,
            "trusted-host = pkgs.example:81 my-pkgs.example\n",
            id="out-from-between-other-hosts",
        ),
    ],
)
def test_trusted_host(
    writers: dict[str, ConfigWriter], tmp_path: Path, before: str, trusted: bool | None, after: str
) -> None:
    """The edit adds or removes the host of the index in the list of trusted hosts; other hosts stay as written."""
    path = tmp_path / "pip.conf"
    path.write_text(f"[global]\n{OURS}{before}{SEARCH}")

    edit = writers["pip"].plan(path, Target(SIMPLE, INDEX, trusted))

    assert edit.after is not None
    assert edit.after.decode() == f"[global]\n{OURS}{after}{SEARCH}"


def test_trusted_host_at_the_end_of_a_file_without_newline(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """A second trusted host gets its own line even if the line of the first one has no end."""
    path = tmp_path / "pip.conf"
    path.write_text(f"{SEARCH}[global]\n{OURS}trusted-host = a")

    edit = writers["pip"].plan(path, Target(SIMPLE, INDEX, trusted_host=True))

    assert edit.after == f"{SEARCH}[global]\n{OURS}trusted-host = a\n    pkgs.example\n".encode()


def test_trusted_host_of_the_default_section_is_kept(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """A list that [global] inherits from [DEFAULT] is copied before a host is added to it."""
    path = tmp_path / "pip.conf"
    path.write_text(f"[DEFAULT]\ntrusted-host = a\n[global]\n{OURS}{SEARCH}")

    edit = writers["pip"].plan(path, Target(SIMPLE, INDEX, trusted_host=True))

    assert edit.after is not None
    assert f"[global]\n{OURS}trusted-host = a pkgs.example\n" in edit.after.decode()


@pytest.mark.parametrize(
    ("tool", "before", "after"),
    [
        pytest.param("pip", None, None, id="no-file"),
        pytest.param("pip", "", "", id="empty-file"),
        pytest.param("pip", f"[global]\n{OURS}{SEARCH}", None, id="only-ours"),
        pytest.param("pip", f"# c\n[global]\n{OURS}{SEARCH}", "# c\n", id="comment-stays"),
        pytest.param("pip", f"[global]\n# c\n{OURS}{SEARCH}", "[global]\n# c\n", id="comment-in-section-stays"),
        pytest.param("pip", f"[global] # c\n{OURS}{SEARCH}", "[global] # c\n", id="comment-of-section-stays"),
        pytest.param(
            "pip",
            f"[global]\ntimeout = 5\n{OURS}trusted-host = a\n    pkgs.example\n{SEARCH}",
            "[global]\ntimeout = 5\ntrusted-host = a\n",
            id="with-the-trust-in-the-host",
        ),
        pytest.param(
            "pip",
            "[global]\nindex-url = http://u:p@pkgs.example:3141/a/b/+simple/\n[x]\ny = 1\n",
            "[x]\ny = 1\n",
            id="with-credentials",
        ),
        pytest.param(
            "pip",
            "[global]\nindex-url = http://pkgs.example/a/\ntrusted-host = pkgs.example\n",
            "[global]\nindex-url = http://pkgs.example/a/\ntrusted-host = pkgs.example\n",
            id="other-port",
        ),
        pytest.param(
            "pip",
            "[global]\nindex-url = http://[corp\n[search]\nindex = http://corp.example/\n",
            "[global]\nindex-url = http://[corp\n[search]\nindex = http://corp.example/\n",
            id="not-ours",
        ),
        pytest.param(
            "pip",
            f"[global]\n{OURS}  [install]\n  user = 1\n".replace("index", "  index", 1),
            "[global]\n  [install]\n  user = 1\n",
            id="section-kept-above-an-indented-one",
        ),
        pytest.param("pip", f"[install]\n{OURS}", f"[install]\n{OURS}", id="other-section-is-the-users"),
        pytest.param(
            "pip",
            f"[DEFAULT]\n{OURS}[global]\ntimeout = 5\n",
            f"[DEFAULT]\n{OURS}[global]\ntimeout = 5\n",
            id="default-section-is-the-users",
        ),
        pytest.param("setuptools", f"[easy_install]\nindex_url = {SIMPLE}\n", None, id="setuptools"),
        pytest.param(
            "setuptools", "[easy_install]\nindex_url = x\n", "[easy_install]\nindex_url = x\n", id="setuptools-other"
        ),
        pytest.param(
            "buildout", f"[buildout]\nindex = {SIMPLE}\nparts = a\n", "[buildout]\nparts = a\n", id="buildout"
        ),
    ],
)
def test_plan_removal(
    writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, before: str | None, after: str | None
) -> None:
    """Settings that point at the server are removed, and sections and files without other content too."""
    path = tmp_path / "file"
    if before is not None:
        path.write_text(before)

    edit = writers[tool].plan_removal(path, SERVER)

    assert edit.after == (None if after is None else after.encode())
    assert not edit.has_secret


@pytest.mark.parametrize(
    ("url", "server", "gone"),
    [
        pytest.param("https://h.example/a/b/+simple/", "https://h.example", True, id="no-slash"),
        pytest.param("https://h.example", "https://h.example/", True, id="no-path"),
        pytest.param("https://h.example:443/a/b/+simple/", "https://h.example/", True, id="default-port"),
        pytest.param("https://H.example/a/b/+simple/", "https://u:p@h.example/", True, id="case-and-credentials"),
        pytest.param("https://h.example/devpi/a/b/+simple/", "https://h.example/devpi/", True, id="below-a-path"),
        pytest.param("https://h.example/devpi2/a/b/+simple/", "https://h.example/devpi", False, id="path-alike"),
        pytest.param("http://h.example/a/b/+simple/", "https://h.example/", False, id="scheme"),
        pytest.param("https://h.example.org.example/a/", "https://h.example/", False, id="host-alike"),
        pytest.param("https://h.example:x/a/", "https://h.example/", False, id="bad-port"),
    ],
)
def test_removal_compares_the_server(
    writers: dict[str, ConfigWriter], tmp_path: Path, url: str, server: str, gone: bool
) -> None:
    """A URL belongs to the server if scheme, host, port and path match; credentials do not matter."""
    path = tmp_path / "pip.conf"
    path.write_text(f"[global]\nindex-url = {url}\n")

    assert (writers["pip"].plan_removal(path, server).after is None) == gone


@pytest.mark.parametrize(
    ("tool", "content", "url"),
    [
        pytest.param("pip", None, None, id="no-file"),
        pytest.param("pip", "[global]\ntimeout = 5\n", None, id="no-option"),
        pytest.param("pip", "[global]\nindex-url =\n", None, id="empty"),
        pytest.param("pip", f"[global]\nindex_url: {SIMPLE}\n", SIMPLE, id="global"),
        pytest.param("pip", f"[global]\nindex-url =\n  {SIMPLE}\n", SIMPLE, id="next-line"),
        pytest.param("pip", f"[global]\n{OURS}[install]\nindex-url = x\n", "x", id="install-goes-first"),
        pytest.param("pip", "[download]\nindex-url = x\n", None, id="other-command"),
        pytest.param(
            "setuptools", "[easy_install]\nindex_url = http://u:%%40@h/\n", "http://u:%40@h/", id="setuptools"
        ),
        pytest.param("buildout", "[buildout]\nindex = http://u:%40@h/\n", "http://u:%40@h/", id="buildout"),
    ],
)
def test_status(
    writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, content: str | None, url: str | None
) -> None:
    """The URL is the one that the tool would use."""
    path = tmp_path / "file"
    if content is not None:
        path.write_text(content)

    assert writers[tool].status(path) == url


def test_percent_sign_is_doubled_for_setuptools(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """A percent sign in a URL is doubled, because setuptools interpolates values."""
    edit = writers["setuptools"].plan(tmp_path / "file", Target(SIMPLE.replace("//", "//u:p%40@"), INDEX))

    assert edit.after == b"[easy_install]\nindex_url = http://u:p%%40@pkgs.example:3141/alice/dev/+simple/\n"


@pytest.mark.parametrize("tool", ["setuptools", "pip", "buildout"])
@pytest.mark.parametrize("userinfo", ["u:p%40ss@", "u@"])
def test_credentials(writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, userinfo: str) -> None:
    """A URL with credentials marks the edit as secret and is read back unchanged."""
    path = tmp_path / "file"
    url = SIMPLE.replace("//", f"//{userinfo}")

    edit = writers[tool].plan(path, Target(url, INDEX))

    assert edit.has_secret
    assert edit.after is not None
    path.write_bytes(edit.after)
    assert writers[tool].status(path) == url


@pytest.mark.parametrize("tool", ["setuptools", "pip", "buildout"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"[a]\nx = \xff\n", "not UTF-8 text: see line 2", id="not-utf-8"),
        pytest.param(b"\xef\xbb\xbf[a]\n", "byte order mark", id="bom"),
        pytest.param(b"[a]\rx = 1\r", "lone carriage return", id="lone-cr"),
        pytest.param(b"token = s3cret\n", "line 1 comes before the first [section]", id="no-section"),
        pytest.param(b"[a]\ns3cret\n", "line 2 is neither", id="no-option"),
    ],
)
def test_files_that_the_tool_would_refuse(
    writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, content: bytes, said: str
) -> None:
    """For a file that the tool cannot read, the error names file and line and shows no content."""
    path = tmp_path / "file"
    path.write_bytes(content)

    for attempt in (
        lambda: writers[tool].status(path),
        lambda: writers[tool].plan(path, Target(SIMPLE, INDEX)),
        lambda: writers[tool].plan_removal(path, SERVER),
    ):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert said in str(caught.value)
        assert str(path) in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_colon_that_buildout_refuses(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """Buildout does not accept a colon instead of the equals sign."""
    path = tmp_path / "default.cfg"
    path.write_text("[buildout]\nindex: x\n")

    with pytest.raises(ConfigError, match="line 2 is neither"):
        writers["buildout"].status(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("[a]\nx = 1\n[a]\n", "line 3 opens the section [a] a second time", id="section"),
        pytest.param(
            "[global]\nindex-url = s3cret\nindex_url = s3cret\n", "line 3 sets index-url in [global]", id="option"
        ),
    ],
)
def test_duplicates_that_pip_refuses(writers: dict[str, ConfigWriter], tmp_path: Path, content: str, said: str) -> None:
    """For a duplicate, the error names the line."""
    path = tmp_path / "pip.conf"
    path.write_text(content)

    with pytest.raises(ConfigError) as caught:
        writers["pip"].plan(path, Target(SIMPLE, INDEX))

    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("tool", ["setuptools", "pip", "buildout", "uv"])
def test_directory_in_place_of_the_file(writers: dict[str, ConfigWriter], tmp_path: Path, tool: str) -> None:
    """The error names the path."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        writers[tool].status(tmp_path)


@pytest.mark.parametrize("tool", ["setuptools", "pip", "buildout", "uv"])
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://h.example/s3cret\n[global]\ntrusted-host = evil.example", id="newline"),
        pytest.param("http://h.example/s3cret\r", id="carriage-return"),
        pytest.param("http://h.example/s3cret evil.example", id="blank"),
        pytest.param("http://h.example/s3cret\x00", id="nul"),
        pytest.param("http://h.example/s3cret\u2028", id="line-separator"),
        pytest.param("http://[h.example/s3cret", id="bad-host"),
        pytest.param("http:///s3cret", id="no-host"),
        pytest.param("file:///s3cret", id="scheme"),
        pytest.param("", id="empty"),
    ],
)
def test_hostile_url(writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, url: str) -> None:
    """A URL, which the server chooses, cannot add lines to a file; the error does not repeat it."""
    with pytest.raises(ConfigError) as caught:
        writers[tool].plan(tmp_path / "file", Target(url, INDEX))

    assert "s3cret" not in str(caught.value)


def test_hostile_url_of_the_index(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """The URL for ``pip search`` is checked as well."""
    with pytest.raises(ConfigError):
        writers["pip"].plan(tmp_path / "pip.conf", Target(SIMPLE, f"{INDEX}\n[global]"))
