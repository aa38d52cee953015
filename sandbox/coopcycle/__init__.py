"""CoopCycle servers (coopcycle.md): the admin pages that make API apps, and the API that they open."""
