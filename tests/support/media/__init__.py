"""Pictures and sound for tests."""
