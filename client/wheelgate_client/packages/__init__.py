"""Release files and projects: building, finding, uploading, listing and testing them."""
