"""Stone Edge behind Connect2Cart: the script that its customers' Order Manager asks, and its office that reads mail."""
