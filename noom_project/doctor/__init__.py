"""`manage.py doctor`: checks an installation from inside and from outside."""
