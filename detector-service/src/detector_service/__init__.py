"""The detector: activity in, bans out."""
