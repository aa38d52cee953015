"""A mail server that takes mail for everybody and delivers none of it: it keeps what it is given."""
