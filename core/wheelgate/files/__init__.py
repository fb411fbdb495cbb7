"""The bytes of packages: written once under their sha256, served again and again, swept when nobody needs them."""
