"""The explorer of the book beside the library: its computing half in node, its page in Chromium."""
