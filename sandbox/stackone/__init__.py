"""A local stand-in of StackOne: the public API, the Hub's wire and the Hub page of any number of organisations."""
