"""The site: settings, addresses, the server process. Imports both apps."""
