"""What the resources do, in the words of the domain: plain functions on values and stores, without HTTP."""
