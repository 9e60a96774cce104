"""Defaults of an embedded Noom: a secret key, host names, a certificate."""
