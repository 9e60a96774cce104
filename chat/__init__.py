"""Rooms, their participants and their messages."""
