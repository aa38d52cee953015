"""Stand-in of WordPress sites with the plugins of SureCart and CoopCycle, written from the fact sheets alone."""
