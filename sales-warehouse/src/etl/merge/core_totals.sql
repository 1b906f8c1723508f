SELECT core_rows, core_sum FROM etl.core_totals($1)
