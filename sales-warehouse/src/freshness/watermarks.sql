SELECT source, as_of FROM etl.watermarks
