SELECT epoch, watermark::text, read_all FROM etl.watermarks WHERE source = $1
