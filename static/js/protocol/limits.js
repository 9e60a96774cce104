/** Limits that the server checks, too. */

// Written by `manage.py write_protocol` from chat/protocol/messages.py.
export const MAX_TEXT_CHARS = 4000;
export const MAX_RAW_NICKNAME_CHARS = 256;
export const HISTORY_LIMIT = 100;
