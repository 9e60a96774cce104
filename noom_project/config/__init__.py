"""How settings are read from the environment, and which values are refused or hidden."""
