"""The command line and what it draws: every command is a function that a script may call, too."""
