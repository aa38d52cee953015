"""The stand-in of the SureCart cloud: its API, and the dashboard where people make and delete tokens (surecart.md)."""
