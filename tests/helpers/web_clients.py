"""What clients send when they ask for an address: measured with a proxy in front of a server."""

from __future__ import annotations

HTML_OF_CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
HTML_OF_PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
HTML_OF_UV = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

BROWSERS = {
    "chromium": {"Accept": HTML_OF_CHROMIUM, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
    "firefox": {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    },
    "lynx": {"Accept": "text/html, text/plain, text/sgml, text/css, */*;q=0.01", "User-Agent": "Lynx/2.9.0dev.12"},
    "w3m": {"Accept": "text/html, text/*;q=0.5, image/*", "User-Agent": "w3m/0.5.3+git20230121"},
    "links": {"Accept": "text/html, */*;q=0.1", "User-Agent": "Links (2.29; Linux)"},
}
CLIENTS: dict[str, dict[str, str]] = {
    **BROWSERS,
    "pip 23": {"Accept": HTML_OF_PIP, "User-Agent": 'pip/23.2.1 {"ci":null,"cpu":"x86_64"}'},
    "pip 21.3": {"Accept": "text/html", "User-Agent": 'pip/21.3 {"ci":null,"cpu":"x86_64"}'},
    "setuptools": {"Accept": "text/html", "User-Agent": "setuptools/58.0 Python-urllib/3.9"},
    "uv": {"Accept": HTML_OF_UV, "User-Agent": 'uv/0.13.9 {"installer":{"name":"uv"}}'},
    "uv find-links": {"Accept": "text/html", "User-Agent": 'uv/0.13.9 {"installer":{"name":"uv"}}'},
    "uv publish": {
        "Accept": "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7",
        "User-Agent": 'uv/0.13.9 {"installer":{"name":"uv"}}',
    },
    "poetry": {"Accept": "application/vnd.pypi.simple.v1+json, */*;q=0.1", "User-Agent": "poetry/2.5.1 CPython/3.11.7"},
    "pypi-simple": {"Accept": HTML_OF_PIP, "User-Agent": "pypi-simple/1.8.0"},
    "twine": {"Accept": "*/*", "User-Agent": "twine/7.0.0 CPython/3.11.7"},
    "requests": {"Accept": "*/*", "User-Agent": "python-requests/2.34.2"},
    "httpx": {"Accept": "*/*", "User-Agent": "python-httpx/0.28.1"},
    "hatch": {"Accept": "*/*", "User-Agent": "Hatch/1.18.2"},
    "curl": {"Accept": "*/*", "User-Agent": "curl/7.88.1"},
    "curl of a copied line": {"Accept": HTML_OF_CHROMIUM, "User-Agent": "curl/7.88.1"},
    "wget": {"Accept": "*/*", "User-Agent": "Wget/1.21.3"},
    "urllib": {"User-Agent": "Python-urllib/3.11"},
    "git": {"Accept": "*/*", "User-Agent": "git/2.39.5"},
    "devpi-client": {"Accept": "application/json", "User-Agent": "devpi-client/7.3.0 (py3.11.7; linux)"},
    "devpi": {"Accept": "application/json", "User-Agent": "devpi/0.1.0 (wheelgate; py3.11.7; linux)"},
    "fetch": {"Accept": "*/*", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
    "fetch of JSON": {"Accept": "application/json", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
    "image": {
        "Accept": "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    },
    "nothing": {},
}
"""The headers of each client."""

NOT_BROWSERS = {
    "text/html": True,
    "TEXT/HTML;q=0.1": True,
    "text/html;q=0.5, application/json;q=0.5": True,
    "text/html;q=0.4, application/json;q=0.5": False,
    "text/html;q=0": False,
    "text/*": False,
    "*/*": False,
    "application/xhtml+xml": False,
    "text/html, application/vnd.pypi.simple.v1+json;q=0": False,
    "text/html, Application/Vnd.PyPI.Simple.latest+html;q=nonsense": False,
    "": False,
}
"""Values of ``Accept`` from something called a browser, with whether it gets a page."""
