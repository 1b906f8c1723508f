SET lock_timeout = '60s'
