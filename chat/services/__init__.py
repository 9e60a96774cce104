"""Rules of rooms and moderation, called by consumers, views and the admin."""
