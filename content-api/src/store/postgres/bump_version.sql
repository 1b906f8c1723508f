UPDATE contents_version SET version = version + 1
