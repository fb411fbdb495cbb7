"""Time budgets of one call to a plugin, in seconds."""

AUTHENTICATOR_SECONDS = 5.0
"""For authenticators, user directories, token handlers, group sources and ``wheelgate_provision_user``."""
POLICY_SECONDS = 1.0
"""For policies, filters of listings and credential extractors."""
PAGE_BLOCK_SECONDS = 1.0
"""For ``wheelgate_page_blocks``: the page waits for it."""
VETO_SECONDS = 5.0
"""For ``wheelgate_check_password`` and ``wheelgate_check_upload``."""
ROUTE_SECONDS = 30.0
"""For the routes of plugins."""
