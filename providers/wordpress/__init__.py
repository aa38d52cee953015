"""wp-admin of a WordPress site, for whoever works there without a browser: stores with WooCommerce, sites with a plugin."""
