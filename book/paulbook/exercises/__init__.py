"""The exercises, one module a chapter: solutions, properties that a right answer has, and hints."""
