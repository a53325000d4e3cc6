"""The shipped data: what the codebook says of them, the figures they are known by, and where they come from."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
SUFFIXES = (".gz", ".csv", ".parquet")
FILES = sorted(path.relative_to(SAMPLE).as_posix() for path in SAMPLE.glob("*/*") if path.suffix in SUFFIXES)


def load(file: str) -> pd.DataFrame:
    if file.endswith(".parquet"):
        return pd.read_parquet(SAMPLE / file)
    return pd.read_csv(SAMPLE / file, dtype={"coupon_upc": str, "household_size": str, "kids_count": str})


def codebook() -> dict[str, tuple[int, pd.DataFrame]]:
    """File -> stated rows and one row per column: column, type, unit, meaning, range, nulls."""
    sections = re.findall(r"^### `(\S+/\S+)`\n\n([\d,]+) rows\..*?\n\n((?:\|.*\n)+)",
                          (SAMPLE / "CODEBOOK.md").read_text(encoding="utf-8"), flags=re.M)
    return {file: (int(rows.replace(",", "")), _described(table)) for file, rows, table in sections}


def _described(table: str) -> pd.DataFrame:
    header, _, *lines = ([cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in table.splitlines())
    return pd.DataFrame(lines, columns=header)


def _range(column: pd.Series, kind: str) -> str:
    """Range of a column as the codebook writes it."""
    values = column.dropna()
    if kind == "boolean":
        return f"{(~values).sum():,} false"
    if kind == "text" and values.nunique() <= 20:
        return ", ".join(sorted(values.unique()))
    style = {"timestamp": "{:%Y-%m-%d %H:%M:%S}", "decimal": "{:.2f}"}.get(kind, "{}")
    ends = pd.to_datetime(values) if kind == "timestamp" else values
    return f"{style.format(ends.min())} .. {style.format(ends.max())}"


@pytest.fixture(scope="module")
def described() -> dict[str, tuple[int, pd.DataFrame]]:
    return codebook()


def test_codebook_describes_every_file_and_no_other(described):
    assert sorted(described) == FILES
    assert len(FILES) == 12


@pytest.mark.parametrize("file", FILES)
def test_codebook_is_right(described, file):
    n_rows, columns = described[file]
    table = load(file)
    assert n_rows == len(table)
    assert columns["column"].tolist() == table.columns.tolist()
    assert columns["nulls"].astype(int).tolist() == table.isna().sum().tolist()
    found = [_range(table[name], kind) for name, kind in zip(columns["column"], columns["type"], strict=True)]
    assert columns["range"].tolist() == found
    assert columns["meaning"].str.len().min() > 3


def test_grocer_figures():
    spend = load("grocer/household_day_spend.csv.gz")
    assert (len(spend), spend["household_id"].nunique()) == (127_431, 2_469)
    assert spend["sales"].sum() == pytest.approx(4_596_039.58, abs=0.005)
    sizes = {name: len(load(f"grocer/{name}")) for name in
             ("campaigns.csv", "campaign_households.csv.gz", "coupon_redemptions.csv.gz", "demographics.csv.gz")}
    assert list(sizes.values()) == [27, 6_589, 2_102, 801]


def test_grocer_has_one_row_per_household_and_day_and_none_on_christmas_day():
    spend = load("grocer/household_day_spend.csv.gz")
    assert not spend.duplicated(["household_id", "date"]).any()
    days = pd.date_range("2017-01-01", "2017-12-31").strftime("%Y-%m-%d")
    assert set(days) - set(spend["date"]) == {"2017-12-25"}


def test_grocer_campaign_18_was_sent_to_big_spenders():
    """The naive gap is 307, the difference in differences 14."""
    spend, received = load("grocer/household_day_spend.csv.gz"), load("grocer/campaign_households.csv.gz")
    during = spend["date"].between("2017-10-30", "2017-12-24")
    before = spend["date"].between("2017-09-04", "2017-10-29")
    by_phase = pd.DataFrame({
        name: spend[rows].groupby("household_id")["sales"].sum()
        for name, rows in (("during", during), ("before", before))
    }).reindex(spend["household_id"].unique()).fillna(0)
    chosen = by_phase.index.isin(received.loc[received["campaign_id"] == 18, "household_id"])
    gap = by_phase[chosen].mean() - by_phase[~chosen].mean()
    assert chosen.sum() == 1_133
    assert gap["during"] == pytest.approx(307.27, abs=0.005)
    assert gap["during"] - gap["before"] == pytest.approx(14.48, abs=0.005)


def test_checkout_figures():
    events = load("checkout/ecom.csv.gz")
    assert (len(events), events["user_id"].nunique(), events["session_id"].nunique()) == (31_106, 600, 3_605)


def test_checkout_is_the_package_s_file_with_its_licence():
    digest = hashlib.sha256((SAMPLE / "checkout" / "ecom.csv.gz").read_bytes()).hexdigest()
    assert digest in (ROOT / "tools" / "sample.py").read_text(encoding="utf-8")
    assert "Apache License" in (SAMPLE / "checkout" / "LICENSE").read_text(encoding="utf-8")
    notice = (SAMPLE / "checkout" / "NOTICE").read_text(encoding="utf-8").split()
    licences = (SAMPLE / "LICENSES.md").read_text(encoding="utf-8").replace("> ", "").replace(">", "").split()
    assert " ".join(notice) in " ".join(licences)


def asos_pairs() -> pd.DataFrame:
    """One row per experiment, treatment, metric and look, as the source has them: `_c` is its control."""
    looks = load("asos/looks.parquet")
    key = ["experiment", "metric", "at"]
    control = looks[looks["arm"] == "control"].drop(columns="arm")
    pairs = looks[looks["arm"] != "control"].merge(control, on=key, suffixes=("_t", "_c"), validate="many_to_one")
    return pairs.sort_values([*key[:2], "arm", "at"])


def test_asos_figures():
    looks, pairs = load("asos/looks.parquet"), asos_pairs()
    assert (len(pairs), pairs["experiment"].nunique()) == (24_153, 78)
    assert len(pairs.drop_duplicates(["experiment", "arm"])) == 99
    assert (pairs["variance_c"].isna().sum(), pairs["variance_t"].isna().sum()) == (778, 779)
    assert not looks.duplicated(["experiment", "arm", "metric", "at"]).any()
    shares = looks[(looks["metric"] == "metric_1") & (looks["n"] > 0)]
    assert shares["variance"].to_numpy() == pytest.approx((shares["mean"] * (1 - shares["mean"])).to_numpy(), rel=1e-12)


def test_asos_claims_at_the_end_and_at_some_look():
    """Welch by scipy, of the moments as they are."""
    pairs = asos_pairs()
    moments = [pairs[f"{name}_{arm}"].to_numpy(float) ** power for arm in "tc" for name, power in (
        ("mean", 1), ("variance", 0.5), ("n", 1))]
    with np.errstate(invalid="ignore", divide="ignore"):
        pvalue = stats.ttest_ind_from_stats(*moments, equal_var=False).pvalue
    below = pairs.assign(below=pvalue < 0.05).groupby(["metric", "experiment", "arm"])["below"]
    assert below.last().groupby("metric").sum().tolist() == [26, 27, 25, 27]
    assert below.any().groupby("metric").sum().tolist() == [46, 64, 57, 58]


def test_asos_splits_against_equal_arms():
    last = asos_pairs().drop_duplicates(["experiment", "arm"], keep="last")
    half = (last["n_t"] + last["n_c"]) / 2
    pvalue = stats.chi2.sf(((last["n_t"] - half) ** 2 + (last["n_c"] - half) ** 2) / half, 1)
    assert ((pvalue < 0.01).sum(), (pvalue < 0.001).sum()) == (17, 12)
    assert last.loc[pvalue < 0.001, "experiment"].nunique() == 10


def test_every_folder_has_its_terms():
    licences = (SAMPLE / "LICENSES.md").read_text(encoding="utf-8")
    assert re.findall(r"^## `(\w+)/`", licences, flags=re.M) == ["double11", "grocer", "checkout", "asos"]


def test_asos_keeps_a_control_once(tmp_path):
    source = pd.DataFrame({
        "experiment_id": "x", "variant_id": [1, 2], "metric_id": 1, "time_since_start": [1.5000000000000002, 1.5],
        "count_c": 10.0, "count_t": [11.0, 12.0], "mean_c": 0.5, "mean_t": [0.4, 0.6], "variance_c": None,
        "variance_t": [0.24, 0.25]})
    source.to_parquet(tmp_path / "asos_digital_experiments_dataset.parquet")
    made = tool().asos_looks(tmp_path)
    assert made[["arm", "metric", "at", "n"]].to_numpy().tolist() == [
        ["control", "metric_1", 1.5, 10], ["variant_1", "metric_1", 1.5, 11], ["variant_2", "metric_1", 1.5, 12]]
    source.assign(mean_c=[0.5, 0.51]).to_parquet(tmp_path / "asos_digital_experiments_dataset.parquet")
    with pytest.raises(ValueError, match="two controls"):
        tool().asos_looks(tmp_path)


def tool() -> ModuleType:
    """tools/sample.py."""
    spec = importlib.util.spec_from_file_location("sample", ROOT / "tools" / "sample.py")
    sample = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sample)
    return sample


def test_double11_is_what_the_simulator_makes(tmp_path):
    sample = tool()
    sample.write_double11(tmp_path)
    for name in sample.TABLES:
        made, shipped = (pq.read_table(folder / f"{name}.parquet") for folder in (tmp_path, SAMPLE / "double11"))
        assert made.equals(shipped)
    made, shipped = ((folder / "truths.json").read_text() for folder in (tmp_path, SAMPLE / "double11"))
    assert json.loads(made).keys() == json.loads(shipped).keys()
    for metric, truth in json.loads(shipped).items():
        assert json.loads(made)[metric] == pytest.approx(truth)


def test_double11_is_small():
    assert sum(path.stat().st_size for path in (SAMPLE / "double11").iterdir()) < 4_000_000
