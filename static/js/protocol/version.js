/** The version of the protocol that this page speaks. */

// Written by `manage.py write_protocol` from chat/protocol/codec.py.
export const PROTOCOL_VERSION = 2;
