"""A daily report on Seattle's weather: extract, validate, aggregate per year, load into SQL, plot, publish.

The data are real: four years of daily records, public-domain data of the U.S. weather service (NOAA), shipped in the
package vega-datasets (`pip install "orchestrator[examples]"`), so no network is needed.

The yearly figures go into the database of the connection `weather`. Name it in the environment of the orchestrator:

    export ORCHESTRATOR_CONN_WEATHER=sqlite:////srv/reports/weather.db

Plot and page go to `reports/weather/` below $ORCHESTRATOR_HOME, or where the param `reports` says.
"""

import os
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from orchestrator import dag, get_current_context, task

# Only what is light stands up here. A DAG file is parsed often and by several processes; matplotlib and SQLAlchemy are
# imported in the bodies that need them, so that parsing stays quick and no worker pays for what it does not run.

Row = dict[str, Any]

DEFAULTS = {"dataset": "seattle-weather.csv", "minimum_days": 360, "reports": "reports/weather"}


def reports(params: Row) -> Path:
    """The folder of the finished reports, made if need be."""
    folder = Path(os.environ.get("ORCHESTRATOR_HOME", "."), params["reports"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def publish(path: Path, content: bytes) -> str:
    """Put a file into its place all at once, so that no reader ever sees half of it, and a retry writes the same."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)
    return str(path)


@dag(
    schedule="0 6 * * *",
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=5), "retry_exponential_backoff": True},
    params=DEFAULTS,
    tags=["example"],
    doc_md=__doc__,
)
def weather_report() -> None:
    @task
    def extract(params: Row | None = None) -> list[Row]:
        """Every daily record, as it stands in the data set."""
        import csv
        from importlib.util import find_spec

        assert params is not None
        # The data lie beside the package's code; importing the package itself would load pandas for nothing.
        package = find_spec("vega_datasets")
        if package is None or package.origin is None:
            raise FileNotFoundError('the data set is not installed; pip install "orchestrator[examples]"')
        with Path(package.origin).with_name("_data").joinpath(params["dataset"]).open(newline="") as source:
            return list(csv.DictReader(source))

    @task
    def validate(records: list[Row]) -> dict[str, Any]:
        """The days as numbers, those that cannot be true apart, and how many good ones each year has."""
        days: list[Row] = []
        rejected: list[Row] = []
        for record in records:
            try:
                days.append(checked(record))
            except (KeyError, ValueError) as error:
                rejected.append({"record": record, "because": str(error)})
        print(f"{len(days)} days are good, {len(rejected)} are rejected")
        count = Counter(str(day["year"]) for day in days)
        return {"days": days, "rejected": rejected, "count": dict(count)}

    @task.branch
    def enough_days(validated: dict[str, Any], params: Row | None = None) -> list[str]:
        """Report on complete years, or on what is missing."""
        assert params is not None
        complete = [year for year, count in validated["count"].items() if count >= params["minimum_days"]]
        return ["aggregate", "plot"] if complete else ["report_gaps"]

    @task
    def aggregate(validated: dict[str, Any], params: Row | None = None) -> list[Row]:
        """One line for each complete year."""
        assert params is not None
        complete = [year for year, count in validated["count"].items() if count >= params["minimum_days"]]
        return [summary(int(year), [d for d in validated["days"] if d["year"] == int(year)]) for year in complete]

    # The rows and the record that they are loaded commit in one transaction: exactly once, whatever crashes when.
    @task(delivery="transactional", connection="weather")
    def load(years: list[Row]) -> int:
        """The yearly figures in the table `yearly_weather`, in place of what was there of those years."""
        from sqlalchemy import Column, Date, Float, Integer, MetaData, Table, delete

        table = Table(
            "yearly_weather",
            MetaData(),
            Column("year", Integer, primary_key=True, autoincrement=False),
            Column("days", Integer, nullable=False),
            Column("mean_high", Float, nullable=False),
            Column("mean_low", Float, nullable=False),
            Column("rain_mm", Float, nullable=False),
            Column("wet_days", Integer, nullable=False),
            Column("hottest_day", Date, nullable=False),
        )
        connection = get_current_context()["connection"]
        table.create(connection, checkfirst=True)
        connection.execute(delete(table).where(table.c.year.in_([year["year"] for year in years])))
        connection.execute(table.insert(), years)
        return len(years)

    @task
    def plot(validated: dict[str, Any], params: Row | None = None) -> str:
        """Daily highs and lows, and the rain of each month, as a PNG."""
        import io

        import matplotlib

        matplotlib.use("Agg")  # there is no screen in a worker
        from matplotlib import pyplot

        assert params is not None
        days = validated["days"]
        when = [date.fromisoformat(day["date"]) for day in days]
        figure, (above, below) = pyplot.subplots(2, 1, figsize=(11, 6), sharex=True, layout="constrained")
        above.fill_between(when, [d["low"] for d in days], [d["high"] for d in days], color="tab:red", alpha=0.5)
        above.set(title="Seattle", ylabel="daily low to high, °C")
        rain = monthly_rain(days)
        below.bar(list(rain), list(rain.values()), width=27, align="edge", color="tab:blue")
        below.set(ylabel="rain a month, mm")
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=110)
        pyplot.close(figure)
        return publish(reports(params) / "seattle.png", image.getvalue())

    @task
    def report(years: list[Row], loaded: int, picture: str, params: Row | None = None) -> str:
        """A page with the table and the picture."""
        assert params is not None
        rows = "".join(
            f"<tr><th>{y['year']}</th><td>{y['days']}</td><td>{y['mean_high']:.1f}</td><td>{y['mean_low']:.1f}</td>"
            f"<td>{y['rain_mm']:.0f}</td><td>{y['wet_days']}</td><td>{y['hottest_day']}</td></tr>\n"
            for y in years
        )
        page = PAGE.format(rows=rows, loaded=loaded, picture=Path(picture).name)
        return publish(reports(params) / "index.html", page.encode())

    @task
    def report_gaps(validated: dict[str, Any], params: Row | None = None) -> str:
        """What there is of each year, where no year is complete."""
        assert params is not None
        lines = [f"{year}: {count} good days" for year, count in validated["count"].items()]
        return publish(reports(params) / "gaps.txt", "\n".join(lines or ["no good day at all"]).encode())

    validated = validate(extract())
    years = aggregate(validated)
    picture = plot(validated)
    enough_days(validated) >> [years, picture, report_gaps(validated)]
    report(years, load(years), picture)


def checked(record: Row) -> Row:
    """One day as numbers; ValueError says what cannot be true of it."""
    day = date.fromisoformat(record["date"].replace("/", "-"))
    high, low, rain = (float(record[name]) for name in ("temp_max", "temp_min", "precipitation"))
    if low > high:
        raise ValueError(f"the low {low} is above the high {high}")
    if not 0 <= rain < 1000:
        raise ValueError(f"{rain} mm of rain in a day")
    return {
        "date": day.isoformat(),
        "year": day.year,
        "high": high,
        "low": low,
        "rain": rain,
        "weather": record["weather"],
    }


def summary(year: int, days: list[Row]) -> Row:
    """What one year was like."""
    return {
        "year": year,
        "days": len(days),
        "mean_high": sum(day["high"] for day in days) / len(days),
        "mean_low": sum(day["low"] for day in days) / len(days),
        "rain_mm": sum(day["rain"] for day in days),
        "wet_days": sum(day["rain"] >= 1 for day in days),
        "hottest_day": date.fromisoformat(max(days, key=lambda day: day["high"])["date"]),
    }


def monthly_rain(days: list[Row]) -> dict[date, float]:
    """Millimetres by the first of each month."""
    rain: dict[date, float] = {}
    for day in days:
        month = date.fromisoformat(day["date"]).replace(day=1)
        rain[month] = rain.get(month, 0.0) + day["rain"]
    return rain


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Seattle's weather</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; }}
  td, th {{ padding: .2rem .8rem; text-align: right; }}
  img {{ max-width: 100%; }}
</style>
<h1>Seattle's weather</h1>
<table>
<tr><th>year</th><th>days</th><th>mean high, °C</th><th>mean low, °C</th>
<th>rain, mm</th><th>wet days</th><th>hottest day</th></tr>
{rows}</table>
<p><img src="{picture}" alt="Daily temperatures and monthly rain"></p>
<p>{loaded} years are in the table yearly_weather.</p>
"""

weather_report()
