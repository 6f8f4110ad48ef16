"""Finding out what is wrong: with this machine, with a settings file, with a deployed app."""
