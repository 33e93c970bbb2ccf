// Keys for those who live here: "/" searches, j and k walk the list, Enter opens.
// Everything works without.
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input, select, textarea")) return;
  if (e.key === "/") {
    const q = document.getElementById("q");
    if (q) { e.preventDefault(); q.focus(); q.select(); }
    return;
  }
  if (e.key !== "j" && e.key !== "k") return;
  const rows = [...document.querySelectorAll("a.row")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? 0 : at + (e.key === "j" ? 1 : -1)];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
});
