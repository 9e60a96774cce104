"""`manage.py doctor`: what is wrong with an installation, from inside and from outside."""
