"""A local stand-in of the platforms that the product talks to. See README.md beside this file."""
