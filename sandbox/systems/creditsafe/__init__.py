"""A stand-in for Creditsafe Connect."""
