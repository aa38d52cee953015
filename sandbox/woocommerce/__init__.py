"""Stand-in of WooCommerce stores, written from the fact sheet on WooCommerce REST API keys alone."""
