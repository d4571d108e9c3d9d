// Runs in the page of the report.
const show = document.getElementById("show");
const find = document.getElementById("find");

function filter() {
  const all = show.value === "all";
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const section of document.querySelectorAll("details.section")) {
    let here = 0;
    for (const test of section.querySelectorAll(".test")) {
      const text = test.querySelector(".what").textContent.toLowerCase();
      test.hidden = !(all || test.classList.contains(show.value)) || !words.every((word) => text.includes(word));
      if (!test.hidden) here++;
    }
    shown += here;
    section.hidden = here === 0;
    section.open = !all || words.length > 0;
  }
  for (const rfc of document.querySelectorAll("section")) {
    rfc.hidden = !rfc.querySelector("details.section:not([hidden])");
  }
  document.getElementById("shown").textContent = all && words.length === 0 ? "" : `${shown} tests`;
}

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let element = target; element; element = element.parentElement) {
    if (element.tagName === "DETAILS") element.open = true;
  }
  target?.scrollIntoView();
}

show.addEventListener("change", filter);
find.addEventListener("input", filter);
find.form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", reveal);
// A browser may keep what was chosen over a reload.
if (show.value !== "all" || find.value !== "") filter();
reveal();
