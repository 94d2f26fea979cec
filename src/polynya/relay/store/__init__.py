"""Where records, inboxes, key packages and blobs are kept."""
