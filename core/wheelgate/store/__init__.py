"""What the server keeps: the database handle, the protocols of the two stores, the change counter."""
