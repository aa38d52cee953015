"""The crash-safe heart: journal, protocol, Vault, HTTP and the Pulumi adapter, shared by every platform."""
