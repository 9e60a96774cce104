"""Every environment variable of Noom, once: its type, default, meaning and unit.

`manage.py write_configuration` writes the tables of docs/configuration.md from these declarations.
"""
