"""One module per family of commands; each command is a coroutine that takes the parsed arguments."""
