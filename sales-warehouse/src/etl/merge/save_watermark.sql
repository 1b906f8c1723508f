INSERT INTO etl.watermarks (source, epoch, watermark, as_of, run_id) VALUES ($1, $2, $3::text::xid8, $4, $5)
ON CONFLICT (source) DO UPDATE
SET epoch = excluded.epoch, watermark = excluded.watermark, as_of = excluded.as_of, read_all = false,
    run_id = excluded.run_id
