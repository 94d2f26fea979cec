"""What a user does, beside the peers."""
