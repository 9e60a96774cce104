"""The same sockets over HTTP, where no WebSocket gets through."""
