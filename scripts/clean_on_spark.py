"""Clean files of pages on a Spark cluster, one file a task, into a folder of Parquet: what docs/batch.md submits.

    spark-submit scripts/clean_on_spark.py 'in/*.wet.gz' out
    spark-submit scripts/clean_on_spark.py 'in/*.wet.gz' out --repetition table.npz

With --repetition, repeated lines are counted first unless that table is there; all executors must be able to read it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pyspark.sql import SparkSession

from extractor.corpus.batch import CleanSettings
from extractor.corpus.readers import ReadSettings
from extractor.corpus.spark import clean
from extractor.corpus.spark_repetition import count_repetition
from extractor.sites import SiteFrom

PARTITION_BYTES = "spark.sql.files.maxPartitionBytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="what Spark reads: files, folders, or a pattern of them, on any file system")
    parser.add_argument("output", help="the folder to write, which must not exist")
    parser.add_argument("--repetition", type=Path, help="the table of repeated lines")
    parser.add_argument("--model", type=Path, help="a model instead of the shipped one")
    options = parser.parse_args()
    spark = SparkSession.builder.appName("extractor").getOrCreate()
    spark.conf.set(PARTITION_BYTES, 1)  # a file is one task, however small
    files = spark.read.format("binaryFile").load(options.source)
    reading = ReadSettings(site_from=SiteFrom("url"))
    if options.repetition and not options.repetition.exists():
        count_repetition(files, reading, single=False).save(options.repetition)
    settings = CleanSettings(model=options.model, repetition=options.repetition, reading=reading)
    clean(files, settings).write.parquet(options.output)
    spark.conf.unset(PARTITION_BYTES)  # Parquet can be cut: each of its bytes would be a task
    for row in sorted(spark.read.parquet(options.output).groupBy("status").count().collect()):
        print(f"{row['status']}: {row['count']:,} pages")


if __name__ == "__main__":
    main()
