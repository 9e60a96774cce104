"""Content-Security-Policy and Permissions-Policy of the pages."""

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, str | list[str] | tuple[str]] = {
    "camera": "self",
    "microphone": "self",
    "display-capture": "self",
    "speaker-selection": "self",
    "fullscreen": "self",
    "geolocation": [],
    "payment": [],
    "usb": [],
}
