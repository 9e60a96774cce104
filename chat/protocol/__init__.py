"""Message types, their encoding, and close codes; imports no Django."""
