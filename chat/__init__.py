"""Rooms, their people, and what they say."""
