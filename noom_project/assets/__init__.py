"""The modules and style sheets of the pages: bundled, hashed, shared between versions."""
