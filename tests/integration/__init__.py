"""The real ASGI application, in the process of the test."""
