"""dateparser on a list of time expressions: JSON lines with id, text, lang in; with id, from, to out.

Made for a moment, it says how long the period is that it found (`period`), so a month becomes a month. It
gets the language, the day, and the setting that prefers the past, as questions about sales do.
"""

import json
import sys
from datetime import date, datetime, timedelta

from dateparser.date import DateDataParser

SETTINGS = {
    "RELATIVE_BASE": datetime(2026, 11, 22, 12),
    "PREFER_DATES_FROM": "past",
    "PREFER_DAY_OF_MONTH": "first",
    "PREFER_MONTH_OF_YEAR": "first",
    "RETURN_TIME_AS_PERIOD": False,
}
# Words that a question puts before a time and that dateparser does not expect.
PREFIXES = {"es": ["el ", "la ", "en ", "durante ", "del ", "de "], "en": ["in ", "on ", "during ", "the "]}


def span(found, period):
    day = found.date()
    if period == "year":
        return date(day.year, 1, 1), date(day.year + 1, 1, 1)
    if period == "month":
        return day.replace(day=1), date(day.year + day.month // 12, day.month % 12 + 1, 1)
    if period == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    return day, day + timedelta(days=1)


def read(text, language):
    parser = DateDataParser(languages=[language], settings=SETTINGS)
    attempts = [text]
    for prefix in PREFIXES[language]:
        if attempts[-1].lower().startswith(prefix):
            attempts.append(attempts[-1][len(prefix) :])
    for attempt in attempts:
        found = parser.get_date_data(attempt)
        if found.date_obj is not None:
            return span(found.date_obj, found.period)
    return None


for line in sys.stdin:
    asked = json.loads(line)
    answer = read(asked["text"], asked["lang"])
    first, end = answer or (None, None)
    print(json.dumps({"id": asked["id"], "from": first and str(first), "to": end and str(end)}))
