SELECT needed, room, enough FROM etl.lock_room($1)
