SELECT media_type, bytes FROM image_files WHERE sha256 = $1
