INSERT INTO etl.watermarks (source, epoch, watermark, as_of, run_id, read_all)
VALUES ($1, $2, $3::text::xid8, $4, $5, $7)
ON CONFLICT (source) DO UPDATE
SET epoch = excluded.epoch, watermark = excluded.watermark, as_of = excluded.as_of, run_id = excluded.run_id,
    read_all = excluded.read_all OR (watermarks.read_all AND watermarks.xmin::text IS DISTINCT FROM $6)
