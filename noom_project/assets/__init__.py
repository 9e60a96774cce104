"""The pages' scripts and styles: bundled, hashed, shared between versions."""
