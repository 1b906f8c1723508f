UPDATE contents_version SET position = position + $1
