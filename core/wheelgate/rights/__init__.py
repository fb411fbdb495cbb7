"""Who may do what: the permissions there are, and the decision with its reasons."""
