"""The local sandbox: `make up` connects its stores with the real engine and a real Vault, `make down` revokes and shows it.

Acts on the stack `sandbox` alone, and writes nothing outside `.local` in the checkout. Both can be repeated at any time;
what is already there is taken up.
"""
