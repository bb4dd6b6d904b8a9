"""Result out: topics, messages, client, embedded broker."""
