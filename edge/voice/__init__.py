"""A speaker's neutral voice, enrolled on purpose: the only thing of a voice that may lie on disk."""
