SELECT etl.refresh_marts()
