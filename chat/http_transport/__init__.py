"""Sockets over HTTP, for networks that let no WebSocket through."""
