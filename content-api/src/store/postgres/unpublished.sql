SELECT count(*) FROM documents WHERE revision > acknowledged_revision
