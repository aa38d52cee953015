"""A local stand-in of BigCommerce: the API gateway, the control panel and the storefront of any number of stores."""
