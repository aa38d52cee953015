"""The `connections` command: what people and schedules do beside the engine."""
