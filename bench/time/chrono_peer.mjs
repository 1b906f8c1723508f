// chrono-node on a list of time expressions: JSON lines with id, text, lang in; with id, from, to out.
//
// It finds a start and, for a range, an end, and says which parts were stated: without a day it is a month,
// without a month a year. What lies in the future though no year was stated is taken back by a year, or a
// week, as questions about sales mean it.

import * as chrono from "chrono-node";
import { createInterface } from "node:readline";

const TODAY = new Date(2026, 10, 22, 12);

const iso = (date) =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");

function unit(parts) {
  if (parts.isCertain("day") || parts.isCertain("weekday")) return "day";
  if (parts.isCertain("month")) return "month";
  return parts.isCertain("year") ? "year" : "day";
}

function period(parts) {
  const of = unit(parts);
  const [year, month, day] = ["year", "month", "day"].map((part) => parts.get(part));
  const begin = new Date(year, of === "year" ? 0 : month - 1, of === "day" ? day : 1, 12);
  if (begin > TODAY && !parts.isCertain("year")) {
    if (parts.isCertain("weekday") && !parts.isCertain("month")) begin.setDate(begin.getDate() - 7);
    else begin.setFullYear(begin.getFullYear() - 1);
  }
  const end = new Date(begin);
  if (of === "day") end.setDate(end.getDate() + 1);
  else if (of === "month") end.setMonth(end.getMonth() + 1);
  else end.setFullYear(end.getFullYear() + 1);
  return { begin, end };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, text, lang } = JSON.parse(line);
  const [found] = (lang === "es" ? chrono.es : chrono).parse(text, TODAY);
  const first = found && period(found.start);
  const last = found?.end ? period(found.end) : first;
  console.log(JSON.stringify({ id, from: first ? iso(first.begin) : null, to: last ? iso(last.end) : null }));
}
