"""A local stand-in of PIMworks: its pages around the WooCommerce channel; there is no API."""
