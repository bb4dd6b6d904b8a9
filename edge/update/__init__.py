"""Updates with signed models: fetching, checking, testing, and going back when a model fails."""
