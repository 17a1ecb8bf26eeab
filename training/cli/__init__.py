"""The commands of the shell: one module each; they print lines of JSON on stdout."""
