"""A speaker's neutral voice, enrolled explicitly: the only data about a voice that is kept on disk."""
