SELECT name, row_count, checksum FROM etl.checksums()
