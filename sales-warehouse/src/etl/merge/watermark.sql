-- xmin: the row's version, so that a request made after this is not taken for one that was met.
SELECT epoch, watermark::text, read_all, xmin::text FROM etl.watermarks WHERE source = $1
