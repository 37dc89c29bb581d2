"""What others add to an owner's galleries, by a share."""
