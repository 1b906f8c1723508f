UPDATE documents SET acknowledged_revision = 0 WHERE acknowledged_revision > 0
