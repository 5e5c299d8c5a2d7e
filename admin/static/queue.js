/* Choosing several tickets: the space bar, what stays chosen while the list changes, the fields of an act. */
(() => {
  "use strict";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const list = document.querySelector("[data-live-url]");
  const panel = document.querySelector("[data-bulk]");
  if (!list || !panel) return;
  const count = panel.querySelector("[data-bulk-count]");
  const act = panel.querySelector('select[name="act"]');
  const chosen = new Set(all("[data-tick]:checked", list).map((box) => box.value.split(":")[0]));

  function told() {
    count.textContent = String(chosen.size);
    count.hidden = !chosen.size;
    if (chosen.size) panel.open = true;
  }
  list.addEventListener("change", (event) => {
    const box = event.target.closest("[data-tick]");
    if (!box) return;
    const id = box.value.split(":")[0];
    if (box.checked) chosen.add(id); else chosen.delete(id);
    told();
  });
  // The list is fetched anew when something changed: what was chosen is chosen again, what has gone is not.
  new MutationObserver(() => {
    const there = new Set();
    for (const box of all("[data-tick]", list)) {
      const id = box.value.split(":")[0];
      there.add(id);
      box.checked = chosen.has(id);
    }
    for (const id of [...chosen]) if (!there.has(id)) chosen.delete(id);
    told();
  }).observe(list, { childList: true });

  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, button, summary, [contenteditable]")) return;
    const row = document.activeElement.closest("[data-row]");
    const box = row && row.querySelector("[data-tick]");
    if (!box) return;
    event.preventDefault();
    box.click();
  });

  function fields() {
    for (const field of all("[data-for]", panel)) field.hidden = !field.dataset.for.split(" ").includes(act.value);
  }
  act.addEventListener("change", fields);
  fields();
})();
