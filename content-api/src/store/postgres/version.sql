SELECT version FROM contents_version
