"""Everything that is not a test: servers, clients, browsers, figures."""
