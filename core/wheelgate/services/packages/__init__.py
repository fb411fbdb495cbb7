"""Projects and files as clients read them: inheritance, merging, rendering and caching of simple pages."""
