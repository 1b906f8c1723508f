"""dlt, merging PromptAds' daily rows by key. Steered over standard input, one command a line:

    load             everything, into an empty dataset
    merge SECONDS    what changed at or after that moment (seconds since 1970)

Answers each with one JSON line: {"rows": ..., "seconds": ...}. The clock covers what the warehouse's
own covers: reading the source, staging, merging.

    dlt_merge.py SOURCE_URL DESTINATION_URL WAY

WAY is `documented`: the source sql_table and a merge, as dlt's guide has it, with its defaults; or
`quickest-upsert` and `quickest-delete-insert`: rows come out of the source by COPY into Arrow and go in
by COPY from CSV, merged by that strategy.
"""

import json
import sys
import tempfile
import time
from datetime import datetime, timezone

import dlt
import psycopg2
import pyarrow as pa
import pyarrow.csv
from dlt.sources.sql_database import sql_table

KEY = ["ad_id", "day"]
COLUMNS = {
    "ad_id": pa.int64(),
    "day": pa.date32(),
    "impressions": pa.int64(),
    "clicks": pa.int64(),
    "conversions": pa.int64(),
    "cost": pa.decimal128(14, 2),
    "currency": pa.string(),
    "reported_at": pa.timestamp("us", tz="UTC"),
    "corrected_at": pa.timestamp("us", tz="UTC"),
}


def documented(source, since):
    """The guide's way: SQLAlchemy reads, rows travel as Python objects, INSERT statements go in."""

    def changed(query, table):
        moment = datetime.fromtimestamp(since, timezone.utc)
        return query.where(table.c.changed_at >= moment)

    rows = sql_table(
        credentials=source.replace("postgresql://", "postgresql+psycopg2://", 1),
        schema="ads",
        table="ad_daily",
        included_columns=list(COLUMNS) + ["changed_at"],
        query_adapter_callback=changed,
    )
    return rows.apply_hints(primary_key=KEY, write_disposition="merge"), {}


def quickest(source, since, strategy):
    rows = dlt.resource(
        arrow(source, since),
        name="ad_daily",
        primary_key=KEY,
        write_disposition={"disposition": "merge", "strategy": strategy},
    )
    return rows, {"loader_file_format": "csv"}


def arrow(source, since):
    """Arrow tables of the rows, a chunk at a time."""
    with psycopg2.connect(source) as connection, tempfile.TemporaryFile() as spool:
        with connection.cursor() as cursor:
            cursor.execute("set timezone to 'UTC'")
            where = cursor.mogrify("where changed_at >= to_timestamp(%s)", (since,)).decode()
            query = f"select {', '.join(COLUMNS)} from ads.ad_daily {where}"
            cursor.copy_expert(f"copy ({query}) to stdout with (format csv)", spool)
        spool.seek(0)
        reader = pa.csv.open_csv(
            spool,
            read_options=pa.csv.ReadOptions(column_names=list(COLUMNS), block_size=8 << 20),
            convert_options=pa.csv.ConvertOptions(
                column_types=COLUMNS,
                strings_can_be_null=True,
                timestamp_parsers=["%Y-%m-%d %H:%M:%S.%f%z", pa.csv.ISO8601],
            ),
        )
        yield from (pa.Table.from_batches([batch]) for batch in reader)


def main(source, destination, way):
    with tempfile.TemporaryDirectory() as home:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=home,
            destination=dlt.destinations.postgres(destination),
            dataset_name=way.replace("-", "_"),
        )
        print(json.dumps({"version": dlt.__version__}), flush=True)
        for line in sys.stdin:
            command, *arguments = line.split()
            since = 0.0 if command == "load" else float(arguments[0])
            begun = time.monotonic()
            if way == "documented":
                rows, options = documented(source, since)
            else:
                rows, options = quickest(source, since, way.removeprefix("quickest-"))
            pipeline.run(rows, **options)
            seconds = time.monotonic() - begun
            counts = pipeline.last_trace.last_normalize_info.row_counts
            print(json.dumps({"rows": counts["ad_daily"], "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
