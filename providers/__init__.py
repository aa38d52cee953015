"""Providers of store connections: one folder per platform over one core that knows no platform."""
