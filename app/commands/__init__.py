"""The commands of the CLI, by what they are about; each reads its arguments, calls one module and prints."""
