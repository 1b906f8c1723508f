INSERT INTO image_files (sha256, media_type, bytes) VALUES ($1, $2, $3)
ON CONFLICT (sha256) DO NOTHING
