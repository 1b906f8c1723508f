DELETE FROM image_files
WHERE sha256 = ANY ($1)
    AND NOT EXISTS (
        SELECT FROM documents
        WHERE body #>> '{image,sha256}' = image_files.sha256
            OR body -> 'former_images'
                @> jsonb_build_array(jsonb_build_object('sha256', image_files.sha256))
    )
