"""What Noom makes for itself on this machine: a secret key, host names, a certificate."""
