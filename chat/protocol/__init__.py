"""What crosses the wire: message types, their encoding, close codes. Imports no Django."""
