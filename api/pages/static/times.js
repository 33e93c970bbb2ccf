// Times whose place is unknown are sent in UTC. Where a browser runs scripts it
// says them in its own time; without, "UTC" stays and is still true.
const lang = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
for (const t of document.querySelectorAll("time[data-utc]")) {
  const at = new Date(t.dateTime);
  const day = t.querySelector(".d"), clock = t.querySelector(".c");
  if (isNaN(at) || !clock) continue;
  // The same day is written as the page writes days.
  if (day && at.getDate() !== at.getUTCDate()) day.textContent = at.toLocaleDateString(lang, { weekday: "short", day: "numeric", month: "short" }).replace(",", "");
  clock.textContent = at.toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" });
}
